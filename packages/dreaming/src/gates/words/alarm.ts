/** What payloads for agents often say, and honest notes hardly ever. Each pattern is linear in the text. */
export const ALARMS: readonly [name: string, pattern: RegExp][] = [
  [
    'sets instructions aside',
    /\b(?:ignore|disregard|forget|override|bypass|skip)\b.{0,40}\b(?:instructions?|prompts?|rules|guidelines|polic(?:y|ies)|restrictions?|safety|training|above)\b|\b(?:ignore|disregard|forget)\b.{0,20}\b(?:previous|prior|earlier|preceding)\b/i,
  ],
  [
    'a new identity',
    /\b(?:you are now|from now on,? you|act as (?:an? |if )|pretend (?:to be|you)|roleplay|role-play|simulate (?:a|an|being)|you will (?:be|play|act)|stay in character|persona|personify|in the (?:role|voice) of|transform into|fictional (?:character|world|story)|mode (?:enabled|activated|output)|(?:play|act as) (?:two|2|both|the role|the part)|(?:two|2) (?:responses|characters|entities|personalities))\b|\b(?:enable|activate|simulate|enter)\b.{0,30}\bmode\b/i,
  ],
  [
    'a jailbreak',
    /\b(?:jailbreak|jailbroken|DAN\b|do anything now|developer mode|unfiltered|uncensored|no (?:ethical|moral) (?:guidelines|restrictions)|without (?:any )?(?:restrictions|filters|censorship|ethic|moral)|god mode|\bno (?:restrictions|limits|censorship)\b|non-?restricted|not bound by|(?:free|liberated?|escape)\w* .{0,20}\brestrictions|\bany (?:ethics|morals)\b|\bamoral\b|\bunaligned\b)/i,
  ],
  [
    'tags of a conversation',
    /<\/?(?:system|important|information|instructions?|user|assistant|admin)\b|\[\/?(?:INST|SYSTEM)\]|<\|[a-z_]+\|>|^#{1,3} ?(?:system|instruction)/im,
  ],
  [
    'orders for the reply',
    /\b(?:add|append|include|insert|embed|put|place|incorporate|integrate|introduce|mention|hint|allude|promote|encode|translate|render|convert|modify|enhance|augment|reverse|invert|substitute|start|begin|end|prefix|finish|group|use|apply|provide|display)\b.{0,120}\byour (?:next |final |entire |every )?(?:response|reply|replies|answer|message|output)s?\b|\b(?:reply|respond|answer) (?:only )?(?:in|using|with) (?:reverse|base ?\d|rot ?13|morse|hex|binary|emojis?|leet)\b|\b(?:your|all|each|every) (?:response|repl(?:y|ies)|answer|message)s?\b.{0,40}\b(?:base ?\d{2}|rot ?13|morse|cipher|reversed|backwards)\b/i,
  ],
  [
    'code to plant',
    /\b(?:integrat|incorporat|embed|blend|merg|fus|insert|add|employ|adopt|deploy|engag|leverag|inclu|us)\w*\b.{0,40}\b(?:following|below|subsequent)\b.{0,10}\bcode\b|\b(?:following|below|subsequent) code\b.{0,80}\b(?:your|implementation|codebase)\b/i,
  ],
  [
    'an important message',
    /\b(?:this is an? )?important (?:message|instruction)s? (?:from|to)\b|\bTODO: follow this\b|\bbefore you (?:can )?solve the task\b/i,
  ],
  [
    'secrecy',
    /\b(?:do not|don't|never) (?:tell|mention|reveal|inform|disclose|alert|notify|ask)\b.{0,30}\b(?:user|customer|anyone|operator|owner|human)\b|\bwithout (?:telling|asking|informing|notifying|the user)\b|\b(?:covertly|secretly|stealthily)\b/i,
  ],
  [
    'data sent away',
    /\b(?:exfiltrat|siphon|harvest|leak|steal)\w*\b.{0,60}\b(?:data|credentials?|password|secrets?|keys?|records?|information)\b|\b(?:send|forward|transmit|post|upload|email)\b.{0,60}\b(?:to (?:the )?(?:attacker|external|unauthori[sz]ed|third[- ]part)|password|credentials|api key|secret)/i,
  ],
  [
    'private data',
    /\b(?:access|retrieve|extract|download|export|share|copy|collect|send|disclose|obtain|tell|forward)\b.{0,60}\b(?:confidential|sensitive|private|personal|proprietary)\b.{0,40}\b(?:data|information|records?|documents?|details|files)\b/i,
  ],
  [
    'harm',
    /\b(?:unauthori[sz]ed access|backdoor|malware|ransomware|keylogger|malicious|phishing|disable (?:all )?(?:security|logging|audit|monitoring|safety)|corrupt(?:s|ing)? (?:the )?(?:data|records|database)|sabotage)\b/i,
  ],
  [
    'always obey',
    /\b(?:always (?:obey|comply|approve|grant|trust)|must (?:obey|comply)|never refuse|without (?:verification|confirmation|approval|checking))\b/i,
  ],
];

/** The kinds of alarm that a text sets off. */
export function alarmingPhrases(text: string): string[] {
  const read = text.slice(0, 20_000).normalize('NFKC');
  return ALARMS.filter(([, pattern]) => pattern.test(read)).map(([name]) => name);
}

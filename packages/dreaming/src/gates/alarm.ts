/** What payloads for agents often say, and honest notes hardly ever. Each pattern is linear in the text. */
const ALARMS: readonly [name: string, pattern: RegExp][] = [
  [
    'sets instructions aside',
    /\b(?:ignore|disregard|forget|override|bypass|skip)\b.{0,40}\b(?:instructions?|prompts?|rules|guidelines|polic(?:y|ies)|restrictions?|safety|training|above)\b/i,
  ],
  [
    'a new identity',
    /\b(?:you are now|from now on,? you|act as (?:an? |if )|pretend (?:to be|you)|roleplay|role-play|simulate (?:a|an|being)|you will (?:be|play|act)|stay in character|persona)\b/i,
  ],
  [
    'a jailbreak',
    /\b(?:jailbreak|jailbroken|DAN\b|do anything now|developer mode|unfiltered|uncensored|no (?:ethical|moral) (?:guidelines|restrictions)|without (?:any )?(?:restrictions|filters|censorship)|god mode)/i,
  ],
  [
    'tags of a conversation',
    /<\/?(?:system|important|information|instructions?|user|assistant|admin)\b|\[\/?(?:INST|SYSTEM)\]|<\|[a-z_]+\|>|^#{1,3} ?(?:system|instruction)/im,
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

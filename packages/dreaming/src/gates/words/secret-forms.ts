/**
 * Forms of keys and tokens, as those who issue them document. Case does not count where a digit stands among what is drawn,
 * since cues are lower-cased. Each pattern is linear in the text: what repeats is bounded, or nothing else can match there.
 */
export const KEY_FORMS: readonly [name: string, pattern: RegExp][] = [
  ['a private key', /-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\bPuTTY-User-Key-File-\d|\bAGE-SECRET-KEY-1[A-Z0-9]{40}/i],
  ['an AWS key', /\b(?:A3T[A-Z0-9]|AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ABIA|ACCA)[A-Z2-7]{16}\b/],
  ['an AWS key', /\b(?=[a-z]{0,20}\d)(?:akia|asia|agpa|aida|aroa|aipa|anpa|anva|abia|acca)[a-z2-7]{16}\b/i],
  ['an Alibaba key', /\bLTAI(?=[a-z]{0,20}\d)[a-z0-9]{12,24}\b/i],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{22,255})/i],
  ['a GitLab token', /\b(?:gl(?:pat|dt|rt|rtr|ptt|cbt|soat|ft|agent|imt|oas|ffct)-[A-Za-z0-9_=-]{20}|GR1348941[A-Za-z0-9_-]{20})/i],
  [
    'a Slack token',
    /\bxox[a-z]-[A-Za-z0-9-]{10,250}|\bxapp-\d-[A-Za-z0-9-]{10,250}|hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9/_-]{20,}/i,
  ],
  [
    'the address of a webhook',
    /\bdiscord(?:app)?\.com\/api\/webhooks\/\d{10,25}\/[\w-]{30}|\bwebhook\.office\.com\/webhookb2\/[0-9a-f]{8}-/i,
  ],
  ['a Stripe key', /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,250}|\bwhsec_[A-Za-z0-9+/=]{20}/i],
  ['a Google key', /\bAIza[A-Za-z0-9_-]{35}|\bya29\.[A-Za-z0-9_-]{20}|\bGOCSPX-[A-Za-z0-9_-]{20}/i],
  ['an Anthropic key', /\bsk-ant-[A-Za-z0-9_-]{20}/i],
  ['an OpenAI key', /\bsk-(?:proj-|svcacct-|admin-)?(?=[a-z_-]{0,40}\d)[A-Za-z0-9_-]{20}|T3BlbkFJ[A-Za-z0-9]{20}/i],
  [
    'a key of a model service',
    /\b(?:hf_[A-Za-z0-9]{30}|api_org_[A-Za-z]{34}|gsk_[A-Za-z0-9]{40}|xai-[A-Za-z0-9]{40}|r8_[A-Za-z0-9]{30}|pplx-[a-z0-9]{40})/i,
  ],
  [
    'a token of a package registry',
    /\b(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{40}|rubygems_[a-f0-9]{48}|oy2[a-z0-9]{43}\b|CLOJARS_[a-z0-9]{60}|dckr_pat_[\w-]{20})/i,
  ],
  [
    'a key of a mail service',
    /\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}|\bxkeysib-[a-f0-9]{60}|\b[0-9a-f]{32}-us\d{1,2}\b|\b(?:pub)?key-[0-9a-f]{32}\b/i,
  ],
  ['a Twilio key', /\b(?:SK|AC)[0-9a-f]{32}\b/i],
  ['a Telegram token', /\b\d{8,10}:AA[A-Za-z0-9_-]{32}/i],
  ['a Discord token', /(?<![\w-])[MNO][\w-]{22,27}\.[\w-]{6}\.[\w-]{27}/i],
  ['a DigitalOcean token', /\bdo[opr]_v1_[a-f0-9]{64}/i],
  ['a Shopify token', /\bshp(?:at|ca|pa|ss|ua|tka)_[a-f0-9]{32}/i],
  ['an Azure key', /\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/=]{40}|(?<![\w~.-])[\w~.]{3}\dQ~[\w~.-]{31,34}/i],
  ['a Databricks token', /\bdapi[0-9a-f]{32}/i],
  ['a Vault token', /\bhv[sbr]\.[A-Za-z0-9_-]{20}|\b[a-z0-9]{14}\.atlasv1\.[A-Za-z0-9=_-]{40}/i],
  ['a Doppler token', /\bdp\.(?:st|ct|sa|pt|scim|audit)\.[\w.-]{30}/i],
  ['a Linear key', /\blin_(?:api|oauth)_[A-Za-z0-9]{28}/i],
  ['a Notion token', /\bsecret_(?=[a-z]{0,45}\d)[A-Za-z0-9]{40}|\bntn_[A-Za-z0-9]{40}/i],
  ['a Square token', /\bsq0[a-z]{3}-[\w-]{22}|\bEAAA[\w-]{60}/i],
  ['a Facebook token', /\bEAA[MC][A-Za-z0-9]{100}/i],
  ['a Heroku key', /\bHRKU-[\w-]{36}/i],
  ['a Grafana token', /\b(?:glsa_[A-Za-z0-9]{32}|glc_[A-Za-z0-9+/=]{32}|eyJrIjoi[A-Za-z0-9]{60})/i],
  [
    'a key of a monitoring service',
    /\b(?:NR(?:AK|AL|JS|II|IQ|SP|RA)-[A-Za-z0-9_-]{19}|sntry[su]_[A-Za-z0-9+/=_-]{40}|dt0[cs]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{40})/i,
  ],
  ['a PlanetScale token', /\bpscale_(?:tkn|pw|oauth)_[\w=.-]{32}/i],
  ['a Postman key', /\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}/i],
  [
    'a token of a build service',
    /\b(?:pul-[a-f0-9]{40}|pn[ub]_[a-z0-9]{36}|sgp_(?:[a-z0-9]+_)?[a-f0-9]{40}|sq[pua]_[a-f0-9]{40}|sha256~[\w-]{43}|nfp_[A-Za-z0-9]{36}|tskey-[a-z]{3,8}-[A-Za-z0-9-]{20}|sbp_[a-f0-9]{40}|fo1_[\w-]{43}|fm[12][ar]?_[A-Za-z0-9+/=_-]{60})/i,
  ],
  ['an Airtable token', /\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}/i],
  ['an Atlassian token', /\bAT[AC]TT3[A-Za-z0-9_=-]{40}/i],
  ['a 1Password key', /\bA3-[A-Z0-9]{6}-[A-Z0-9]{5,6}-?[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}|\bops_eyJ[A-Za-z0-9+/]{60}/i],
  ['an Artifactory token', /\b(?:AKCp[A-Za-z0-9]{60}|cmVmd[A-Za-z0-9]{50})/i],
  ['a Cloudflare key', /\bv1\.0-[a-f0-9]{24}-[a-f0-9]{100}/i],
  ['a ClickHouse key', /\b4b1d[A-Za-z0-9]{38}\b/i],
  ['a Figma token', /\bfig[a-z]_[A-Za-z0-9_-]{40}/i],
  ['a Mapbox token', /\b[ps]k\.eyJ[A-Za-z0-9_-]{40}/i],
  ['a Harness token', /\b[ps]at\.[\w-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}/i],
  ['a Plaid token', /\baccess-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f-]{27}/i],
  [
    'a key of a payment or shipping service',
    /\bFLW(?:PUBK|SECK)(?:_TEST)?-[0-9a-h]{12}|\bEZ[AT]K[A-Za-z0-9]{54}|\bduffel_(?:test|live)_[\w=-]{43}|\bshippo_(?:live|test)_[a-f0-9]{40}|\b(?:live|test)_(?:pub_)?[a-f0-9]{31,35}\b/i,
  ],
  [
    'a service token',
    /\b(?:tfp_[A-Za-z0-9_.=-]{59}|rdme_[a-z0-9]{70}|tk-us-[\w-]{48}|API-[A-Z0-9]{26}\b|p8e-[a-z0-9]{32}|ico-[A-Za-z0-9]{32}|fio-u-[\w=-]{64}|s-s4t2(?:ud|af)-[a-f0-9]{64}|sm_[aps]at_[A-Za-z0-9]{16}|[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk|CFPAT-[\w-]{40}|AQVN[\w-]{35}|t1\.[A-Z0-9a-z_-]{10,200}=?\.[A-Za-z0-9_-]{86})/i,
  ],
  ['an Authress key', /\b(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_-][a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30}/i],
  ['a JSON web token', /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8}/i],
  ['a password in an address', /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{0,100}:[^\s:@/]{3,100}@[^\s/]/i],
  ['credentials in a header', /\b(?:Bearer|Basic)\s+(?=[A-Za-z0-9+/=._~-]{0,200}\d)[A-Za-z0-9+/=._~-]{20}/i],
];

/** Beginnings of keys that are told even when blanks, quotes, plus signs or line breaks stand within the key. */
export const KEY_BEGINNINGS =
  /(?:AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[bp]-|(?:sk|rk)_(?:live|test)_|sk-ant-(?:api|admin)\d\d-|sk-proj-|AIza|hvs\.|lin_api_|npm_|hf_|pypi-|dapi|dop_v1_|shpat_|pplx-)/g;

/** `password = …` and the like, in several languages; the value decides. */
export const NAMED_SECRET =
  /(?:passwords?|passwd|passphrase|passcode|pwd|secret|token|api[_ -]?key|access[_ -]?key|auth[_ -]?key|private[_ -]?key|credentials?|passwort|kennwort|contraseña|mot de passe|senha|wachtwoord|hasło|пароль|密码|パスワード)["']?\s{0,3}(?:=|:|：|\bis\b|\bist\b|\blautet\b|\best\b|\bes\b|(?<=\s)é(?=\s)|\bto\b|是|は)\s{0,3}["'`]?([^\s"'`,;<>{}]{4,200})/giu;

/** Letters alone, given to a password as programs do it. */
export const ASSIGNED_PASSWORD = /\b(?:password|passwd|pwd|passwort)["']?(?:=|:=|: ?["'])["']?([A-Za-z]{8,64})\b/gi;

/** A value behind the name of a key, with or without a sign between the two. */
export const NAMED_KEY =
  /(?:api|app|application|secret|access|auth|private|account|client|service)[_ -]?(?:key|token|secret)(?:[_ -]?id)?["']?[\s:=]{1,4}["'`]?([A-Za-z0-9+/_=-]{16,200})/gi;

export const NAMED_PIN = /\bPIN(?:[ -]?(?:code|number))?["']?\s{0,3}(?:=|:|\bis\b|\bist\b|\blautet\b)\s{0,3}["']?\d{4,8}\b/i;

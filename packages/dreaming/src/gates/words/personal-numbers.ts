/** Numbers of people's accounts and papers, which check themselves: a card, a bank account, a social security number. */
export function personalNumberIn(text: string): { kind: string; index: number } | null {
  for (const match of text.matchAll(CARD)) {
    if (isLuhn(match[0].replaceAll(/\D/g, ''))) return { kind: 'the number of a card', index: match.index };
  }
  for (const match of text.matchAll(IBAN)) {
    const plain = match[0].replaceAll(' ', '').toUpperCase();
    if (plain.length >= 15 && plain.length <= 34 && isMod97(plain)) return { kind: 'the number of a bank account', index: match.index };
  }
  const ssn = SSN.exec(text);
  return ssn === null ? null : { kind: 'a social security number', index: ssn.index };
}

/** 13 to 19 digits that begin as cards do, in one run or in the groups that stand on cards. */
const CARD =
  /(?<![\p{L}\p{N}.,_#-])(?:(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|6\d{3})(?:([ -])\d{4}\1\d{4}\1\d{4}|\d{9,15})|3[47]\d{2}(?:([ -])\d{6}\2\d{5}|\d{11})|3[0689]\d{12})(?![\p{L}\p{N}_]|[.,-]\d)/gu;
const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/gi;
const SSN = /(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/;

/** ISO/IEC 7812-1, annex B. */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** ISO 13616: letters count from A = 10, the first four characters at the end. */
function isMod97(iban: string): boolean {
  let rest = 0;
  for (const char of iban.slice(4) + iban.slice(0, 4)) {
    const value = parseInt(char, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

// Text on its way into the log: bounded, and without what looks like a secret. Events carry none by their contract; this
// is for the free text of libraries and peers, where one may hide.

const MAX_LENGTH = 512;
const HIDDEN = '[hidden]';

/** Order matters: the longest shapes first. */
const SECRET_SHAPES: readonly (readonly [RegExp, string])[] = [
  // PEM, JWT and JWE, whole.
  [/-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g, HIDDEN],
  [/\beyJ[\w-]{5,}\.[\w-]*(?:\.[\w-]*){0,3}/g, HIDDEN],
  [/\b(bearer|basic|dpop|negotiate|ntlm)\s+[\w+/.=~-]{6,}/gi, `$1 ${HIDDEN}`],
  [/\b((?:set-)?cookie2?\s*[:=]\s*)[^\r\n]+/gi, `$1${HIDDEN}`],
  // Passwords in addresses.
  [/(:\/\/)[^\s/?#@]*@/g, `$1${HIDDEN}@`],
  // Values of names that mean a secret: in query strings, forms and JSON, and the plainest of them in prose too.
  [/\b((?:code|state|nonce|session|sid)(?:=|"\s*:\s*"))[^\s"'&,;}]{6,}/gi, `$1${HIDDEN}`],
  [
    /\b((?:[\w-]*_)?(?:token|secret|password|passwd|assertion|verifier|id_token_hint)["']?\s*[=:]\s*["']?)[^\s"'&,;}]{6,}/gi,
    `$1${HIDDEN}`,
  ],
  // 32 random bytes in base64url, such as the session cookie.
  [/(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{43}(?![\w-])/g, HIDDEN],
];

/** Free text (a `why`, a message): what looks like a secret is hidden, and what is long is cut. */
export function logText(text: string): string {
  // Cut first, so that no text makes the patterns below work long; a secret cut in half is still one to them.
  let shown = text.length > 4 * MAX_LENGTH ? text.slice(0, 4 * MAX_LENGTH) : text;
  for (const [shape, replacement] of SECRET_SHAPES) shown = shown.replace(shape, replacement);
  return bounded(shown);
}

/** A name as it is (user, sub, route, code), bounded. */
export function bounded(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

// Beyond what JSON escapes: DEL and C1 (terminals obey U+009B), line separators, and marks that turn writing around.
const UNSAFE = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** One JSON line in which no character moves a terminal or ends the line. Lossless: parsing gives the same text. */
export function safeJsonLine(line: string): string {
  return line.replace(UNSAFE, escapeCode);
}

/** The same for plain text: controls, line ends included, become visible `\u001b`. */
export function safePlainText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u001f]/g, escapeCode)
    .replace(UNSAFE, escapeCode);
}

function escapeCode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

// What the YAML parser complains about, in words for people. By its codes, never its messages: those cite the file,
// and the file may hold secrets.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import type { ErrorCode } from 'yaml';

export interface Words {
  readonly message: string;
  readonly cure: string;
}

const QUOTE_IT: Words = {
  message: 'this value cannot begin with this character or hold this escape',
  cure: "put the value in single quotes: 'value'",
};
const INDENTATION: Words = {
  message: 'the indentation does not fit',
  cure: 'indent the keys of one section by the same number of spaces',
};
const ONE_LINE: Words = {
  message: 'this is no key and no value',
  cure: 'write `key: value` on one line, and put a value that holds `: ` or ` #` in single quotes',
};
const NO_TAGS: Words = { message: 'a tag (`!name`) means nothing here', cure: 'remove it and write the plain value' };

const WORDS: Readonly<Record<ErrorCode, Words>> = {
  ALIAS_PROPS: { message: 'an alias (`*name`) stands alone', cure: 'remove the anchor or tag before it' },
  BAD_ALIAS: {
    message: '`*` begins an alias here, and nothing above has that name',
    cure: "put the value in single quotes if the `*` belongs to it: '*value'",
  },
  BAD_COLLECTION_TYPE: NO_TAGS,
  BAD_DIRECTIVE: { message: 'a line that begins with `%` is a YAML directive', cure: 'remove the line' },
  BAD_DQ_ESCAPE: {
    message: 'a backslash in double quotes begins an escape, and this one does not exist',
    cure: 'use single quotes, or write the backslash twice',
  },
  BAD_INDENT: INDENTATION,
  BAD_PROP_ORDER: { message: 'an anchor (`&name`) stands in the wrong place', cure: 'write it right before the value' },
  BAD_SCALAR_START: QUOTE_IT,
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a list or section begins in the middle of a line',
    cure: 'begin it on a line of its own, indented',
  },
  BLOCK_IN_FLOW: {
    message: 'an indented section stands inside `{ }` or `[ ]`',
    cure: 'write it with braces and commas, or without them altogether',
  },
  DUPLICATE_KEY: { message: 'this key is given twice', cure: 'keep one of the two' },
  IMPOSSIBLE: ONE_LINE,
  KEY_OVER_1024_CHARS: {
    message: 'this key is longer than 1024 characters',
    cure: 'close the quote or bracket that was opened before it',
  },
  MISSING_CHAR: {
    message: 'a quote, bracket, comma or `:` is missing',
    cure: 'close what was opened, and write a space after `:` and `,`',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'this text runs over several lines and then turns out to be a key',
    cure: 'close the quote, or check the `:` and the indentation of the lines before it',
  },
  MULTIPLE_ANCHORS: { message: 'a value has two anchors (`&name`)', cure: 'keep one' },
  MULTIPLE_DOCS: {
    message: 'a second document begins here',
    cure: 'remove the `---` or `...`: the file is one document',
  },
  MULTIPLE_TAGS: NO_TAGS,
  NON_STRING_KEY: { message: 'a key must be plain text', cure: 'write `name: value`' },
  RESOURCE_EXHAUSTION: { message: 'the file is nested too deeply', cure: 'write it flatter' },
  TAB_AS_INDENT: { message: 'a tab stands in the indentation', cure: 'indent with spaces' },
  TAG_RESOLVE_FAILED: NO_TAGS,
  UNEXPECTED_TOKEN: ONE_LINE,
};

/** For the one mistake that this file's own syntax invites. */
export const BARE_VARIABLE: Words = {
  message: 'inside `{ }` and `[ ]` a variable needs quotes',
  cure: 'write it so: "${NAME}"',
};

/** The parser finds it at the end of the file; this is for the place where it begins. */
export const OPEN_QUOTE: Words = { message: 'this quote is never closed', cure: 'close it at the end of the value' };

/** Likewise, where the next key begins that cannot be in it. */
export const OPEN_LIST: Words = { message: 'this `[` is never closed', cure: 'write `]` at the end of the list' };
export const OPEN_SECTION: Words = { message: 'this `{` is never closed', cure: 'write `}` at the end of the section' };

/** The words for a parser's error code. */
export function yamlSyntaxWords(code: ErrorCode): Words {
  return WORDS[code] ?? ONE_LINE;
}

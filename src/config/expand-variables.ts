// `${NAME}` and `${NAME:-default}` inside strings, after the file is parsed: a value never changes the file's structure
// (design/config.md). `$${` is a literal `${`.

export type Environment = Readonly<Record<string, string | undefined>>;

/** A `${…}` that cannot be replaced: its variable is not set, or it is not written as one. */
export interface UnsetVariable {
  /** Undefined where what follows `${` is no variable. */
  readonly name: string | undefined;
}

export interface ExpandedText {
  readonly text: string;
  readonly fromEnvironment: boolean;
  readonly unset: readonly UnsetVariable[];
}

const SUBSTITUTION = /\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g;

/**
 * Replaces the variables of `text` once: what a variable holds is not looked at again. As in a shell, `:-` gives the
 * default where the variable is unset or empty; without it an empty variable is an empty text.
 */
export function expandVariables(text: string, env: Environment): ExpandedText {
  const unset: UnsetVariable[] = [];
  let fromEnvironment = false;
  if (!text.includes('${')) return { text, fromEnvironment, unset };
  const replaced = text.replace(SUBSTITUTION, (found, name: string | undefined, fallback: string | undefined) => {
    if (found === '$${') return '${';
    // Own properties only: `${constructor}` is no variable.
    const value = name !== undefined && Object.hasOwn(env, name) ? env[name] : undefined;
    fromEnvironment = true;
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) unset.push({ name });
    return value ?? '';
  });
  return { text: replaced, fromEnvironment, unset };
}

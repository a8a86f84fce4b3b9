// The command line: finds the command, prints its help, turns outcomes into exit codes: 0 ok, 1 found problems, 2 usage.

import { readFileSync } from 'node:fs';
import { DRILL_HELP } from './drill-help.ts';
import { UsageError } from './usage-error.ts';

interface Command {
  readonly summary: string;
  readonly help: string;
  run(args: readonly string[]): Promise<number>;
}

const CONFIG_HELP = `
  -c, --config FILE   the configuration; without it $PORTCULLIS_CONFIG, ./portcullis.yaml,
                      /etc/portcullis/portcullis.yaml, the first that exists`;

const EXPLAIN_HELP = `portcullis explain METHOD URL [--user FILE] [--json] [-c FILE]

Says what the gate would do with a request, and why: the route and rule that decide, and the headers that the application
would get. Nobody is asked and nothing is sent. URL is a whole one, or a path of the first public_url; it is taken as it stands.

  --user FILE         the claims of the user who is signed in, a JSON object as in an ID token: {"sub": "1", "groups": ["staff"]}
                      without it nobody is
  --json              for programs
${CONFIG_HELP}`;

// Each is loaded when it is called: `check` need not wait for what `start` brings along.
const COMMANDS: Readonly<Record<string, Command>> = {
  start: {
    summary: 'run the gate (the default)',
    help: `portcullis start [-c FILE]\n\nRuns the gate until SIGTERM or SIGINT; then it drains and exits. A second signal exits at once.\n${CONFIG_HELP}`,
    run: async (args) => (await import('./start.ts')).start(args),
  },
  check: {
    summary: 'check a configuration file and say everything that is wrong with it',
    help: `portcullis check [-c FILE]\n\nReads the file as start would, secrets and certificates included, and starts nothing.\n${CONFIG_HELP}`,
    run: async (args) => (await import('./check.ts')).check(args),
  },
  explain: {
    summary: 'say which route, rule and headers a request gets, and why',
    help: EXPLAIN_HELP,
    run: async (args) => (await import('./explain.ts')).explain(args),
  },
  drill: {
    summary: "end a test user's session at your own gate and measure how fast it is cut",
    help: `${DRILL_HELP}\n${CONFIG_HELP}`,
    run: async (args) => (await import('./drill.ts')).drill(args),
  },
  demo: {
    summary: 'see it work: a provider, two legacy apps and the gate in one process',
    help: 'portcullis demo\n\nPrints an address and what to click. Where standard output is not a terminal it plays the story by itself,\nprints what happened with times, and exits 0 or 1. For a checkout: it needs the development dependencies.',
    run: async (args) => (await import('./demo.ts')).demo(args),
  },
};

/** Commands of the contract that are not built yet: said so, instead of "unknown". */
const NOT_YET = ['doctor', 'keycloak-client', 'sessions'];

/** Runs one command and returns the exit code; never throws. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === '--help' || first === '-h' || first === 'help') return print(overview());
  const name = first === undefined || (first.startsWith('-') && first !== '--version') ? 'start' : first;
  if (name === '--version') return print(version());
  if (NOT_YET.includes(name)) return usage(`"${name}" is not available yet`);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) return usage(`there is no command "${name}"; see portcullis --help`);
  const commandArgs = name === first ? rest : args;
  if (commandArgs.includes('--help') || commandArgs.includes('-h')) return print(command.help);
  try {
    return await command.run(commandArgs);
  } catch (error) {
    if (error instanceof UsageError) return usage(error.message);
    console.error(`portcullis: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}   ${summary}`);
  return `portcullis: an authenticating reverse proxy that drops the gate the moment a session ends\n\n${lines.join('\n')}\n\nportcullis COMMAND --help says more.`;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return `portcullis ${manifest.version} on Node.js ${process.versions.node}`;
}

function print(text: string): number {
  console.log(text);
  return 0;
}

function usage(message: string): number {
  console.error(`portcullis: ${message}`);
  return 2;
}

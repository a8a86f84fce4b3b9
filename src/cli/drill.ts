// portcullis drill: signs a test user in at the operator's own gate and provider, opens connections, has the session
// ended, and reports how long they lived on (design: surface.md, command line).

import { Browser } from './browser/browser.ts';
import { readConfigFile } from './config-option.ts';
import { askPassword } from './drill/ask-password.ts';
import { type Drill, type DrillArguments, drillOf, givenPassword, readArguments } from './drill/drill-options.ts';
import { faultLine } from './drill/fault-line.ts';
import { problemsOf } from './drill/problems.ts';
import { heading, leftOutText, outcomeText, reportJson } from './drill/report.ts';
import { type Outcome, runTrigger } from './drill/run-trigger.ts';
import { UsageError } from './usage-error.ts';

export async function drill(args: readonly string[]): Promise<number> {
  const given = readArguments(args);
  if (given.user === undefined) throw new UsageError('whose session is to be ended? Name a test user with --user');
  const read = readConfigFile(given.config);
  if (read === undefined) return 1;
  const plan = drillOf(given, { config: read.config, password: await passwordOf(given) });
  const print = given.json === true ? () => {} : console.log;
  print(heading(plan));
  const { outcomes, fault } = await runAll(plan, (outcome) => print(outcomeText(outcome, plan)));
  if (plan.leftOut.length > 0) print(leftOutText(plan));
  if (fault !== undefined) console.error(`portcullis: ${fault}`);
  if (given.json === true) console.log(JSON.stringify(reportJson(plan, { outcomes, fault }), undefined, 2));
  return fault === undefined && outcomes.every((outcome) => problemsOf(outcome, plan).length === 0) ? 0 : 1;
}

async function passwordOf(given: DrillArguments): Promise<string> {
  const password = givenPassword(given);
  if (password) return password;
  if (!process.stdin.isTTY) {
    throw new UsageError(
      'the password of the test user is missing: set DRILL_PASSWORD, or name a file with --password-file',
    );
  }
  return await askPassword(`Password of ${given.user}: `);
}

/** One end after another; what hinders one hinders the next as well. */
async function runAll(
  plan: Drill,
  onOutcome: (outcome: Outcome) => void,
): Promise<{ outcomes: readonly Outcome[]; fault: string | undefined }> {
  const outcomes: Outcome[] = [];
  try {
    await expectGuarded(plan);
    for (const trigger of plan.triggers) {
      const outcome = await runTrigger(trigger, plan);
      outcomes.push(outcome);
      onOutcome(outcome);
    }
    return { outcomes, fault: undefined };
  } catch (error) {
    return { outcomes, fault: faultLine(error, plan) };
  }
}

/** On a page that is open to everybody the drill would find that nothing is ever refused. */
async function expectGuarded({ pageUrl, authorities }: Drill): Promise<void> {
  const { status } = await new Browser({ authorities }).ask(pageUrl, { as: 'script' });
  if (status === 401) return;
  throw new Error(
    `${pageUrl} was answered ${status} without a sign-in, not 401; name a page with --path that needs one`,
  );
}

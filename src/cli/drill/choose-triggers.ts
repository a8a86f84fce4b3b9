// Which ends the drill runs: those that were named, or all for which it has what they need.

import { UsageError } from '../usage-error.ts';
import { TRIGGERS, type Trigger } from './triggers.ts';

export interface ChosenTriggers {
  readonly triggers: readonly Trigger[];
  readonly leftOut: readonly { readonly trigger: string; readonly why: string }[];
}

export interface Allowed {
  /** An administrator's credentials are at hand. */
  readonly administer: boolean;
  /** The operator has agreed to end everybody's sessions. */
  readonly hitEverybody: boolean;
}

/** No name: the best that there is for one session. @throws UsageError where one is unknown or cannot be run. */
export function chooseTriggers(names: readonly string[], allowed: Allowed): ChosenTriggers {
  const judged = TRIGGERS.map((trigger) => ({ trigger, why: hindrance(trigger, allowed) }));
  if (names.includes('all')) {
    return {
      triggers: judged.filter(({ why }) => why === undefined).map(({ trigger }) => trigger),
      leftOut: judged.flatMap(({ trigger: { name }, why }) => (why === undefined ? [] : [{ trigger: name, why }])),
    };
  }
  const asked = names.length > 0 ? names : [allowed.administer ? 'admin-sign-out' : 'logout-elsewhere'];
  const triggers = asked.map((name) => {
    const found = judged.find(({ trigger }) => trigger.name === name);
    if (found === undefined) {
      const known = TRIGGERS.map((trigger) => trigger.name).join(', ');
      throw new UsageError(`there is no trigger "${name}"; there are ${known}, and all`);
    }
    if (found.why !== undefined) throw new UsageError(`${name} ${found.why}`);
    return found.trigger;
  });
  return { triggers, leftOut: [] };
}

function hindrance({ needs, ends }: Trigger, { administer, hitEverybody }: Allowed): string | undefined {
  if (needs === 'administrator' && !administer) {
    return 'needs an administrator of Keycloak: set KEYCLOAK_ADMIN and KEYCLOAK_ADMIN_PASSWORD';
  }
  if (ends === "everybody's sessions" && !hitEverybody) {
    return "ends everybody's sessions: say --everybody where that is meant";
  }
  return undefined;
}

// Two gates on one store.

import { type Gate, GateFleet, type GateFleetOptions, startParts } from './gate-fleet.ts';

export type { Gate } from './gate-fleet.ts';
export { url } from './gate-fleet.ts';

export interface GatePairOptions extends GateFleetOptions {
  /** Each gate's `session.redis`. */
  readonly redis: readonly [object, object];
}

export class GatePair extends GateFleet {
  /** Notices go to this one. */
  get a(): Gate {
    return this.gates[0]!;
  }

  get b(): Gate {
    return this.gates[1]!;
  }

  static override async start(options: GatePairOptions): Promise<GatePair> {
    return new GatePair(await startParts(options));
  }
}

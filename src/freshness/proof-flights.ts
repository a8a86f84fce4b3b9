// At most one proof under way per session, whoever asks for it (security catalogue SESS-09: 50 requests at the expiry of a
// rotating token are one refresh). It belongs to the session: the abort of the request that began it does not reach it.

import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import { errorCode } from '../base/gateway-error.ts';
import type { Proof } from './proof.ts';
import { type Asker, chooseProof } from './proof-plan.ts';
import type { ProveSession } from './prove-session.ts';
import type { ProviderTurns } from './provider-turns.ts';
import type { Flight, Watch } from './watch.ts';

/** Between two tries for one session at a provider that does not answer; up to a quarter more, against marching in step. */
const RETRY_MS = 5_000;

export interface ProofFlightsOptions {
  readonly prove: ProveSession;
  readonly turns: ProviderTurns;
  readonly clock: Clock;
  /** Store time. */
  readonly now: () => number;
  readonly random: () => number;
  readonly emit: Emit;
  /** Called when a proof is in, whatever it is; the watch knows it then. */
  readonly onLanded: (watch: Watch, proof: Proof) => void;
}

/** Starts proofs and books what they come to. */
export class ProofFlights {
  readonly #options: ProofFlightsOptions;
  /** How many proofs. */
  underWay = 0;

  constructor(options: ProofFlightsOptions) {
    this.#options = options;
  }

  /** The proof under way, or a new one; undefined where the provider is not to be asked for this session now. */
  start(watch: Watch, asker: Asker): Flight | undefined {
    if (watch.flight !== undefined) return watch.flight;
    const { turns, now } = this.#options;
    if (watch.record.tokens.refreshToken === undefined || now() < watch.retryAt) return undefined;
    if (!turns.open()) {
      this.#putOff(watch);
      return undefined;
    }
    this.underWay++;
    const landed = turns
      .take(async () => {
        const proof = await this.#prove(watch, asker);
        return { answered: proof === 'proven' || proof === 'ended', result: proof };
      })
      .then((proof) => this.#land(watch, proof ?? 'unavailable'));
    watch.flight = { landed, waitedSince: undefined };
    return watch.flight;
  }

  /** Never rejects: a store that fails leaves the session to the next try. */
  async #prove(watch: Watch, asker: Asker): Promise<Proof> {
    const { session } = watch;
    const { tokens } = session.record;
    const { prove, now, emit } = this.#options;
    const how = chooseProof(session, watch.plan, { now: now(), asker });
    try {
      if (session.ended) return 'ended';
      if (how === 'probe') return await prove(session, 'probe');
      if (watch.unansweredTokens === tokens && session.record.probe === 'introspect') {
        // The answer to the last refresh was lost. Where tokens rotate, to send the same one again would void the whole
        // grant; so the provider is asked first whether it is still good, and a token that was used up is "not active".
        // Without a probe it is sent again: to wait for its end would sign users out of every provider that does not
        // rotate, after any fault of the network, and where it rotates the session could not go on in any case.
        const proof = await prove(session, 'probe');
        if (proof !== 'proven') return proof;
      }
      const proof = await prove(session, 'refresh');
      if (proof === 'unanswered') watch.unansweredTokens = tokens;
      return proof;
    } catch (error) {
      emit({ event: 'store.failed', operation: 'prove', why: errorCode(error) });
      return 'unavailable';
    }
  }

  #land(watch: Watch, proof: Proof): void {
    this.underWay--;
    watch.flight = undefined;
    watch.follow(this.#options.clock, this.#options.now());
    if (proof === 'unanswered' || proof === 'unavailable') this.#putOff(watch);
    this.#options.onLanded(watch, proof);
  }

  #putOff(watch: Watch): void {
    watch.retryAt = this.#options.now() + RETRY_MS * (1 + this.#options.random() / 4);
  }
}

// A session's identity headers, made once per record and route. Records are immutable, so the cache needs no rule for
// when it is stale, and it goes with the record. A signed assertion is made again before it expires.

import type { Clock } from '../base/clock.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { SessionRecord } from '../session/session-record.ts';
import type { Assertion, GateRoute } from './gate-route.ts';

/**
 * The identity headers of `record` for `route`, flat name-value pairs. A promise only while a signature is made: look at the
 * session again when it comes.
 */
export type SessionIdentity = (route: GateRoute, record: SessionRecord) => MaybePromise<readonly string[]>;

/** One per snapshot: another configuration makes other headers. */
export function createSessionIdentity(clock: Clock): SessionIdentity {
  const plain = new ByRecordAndRoute<readonly string[]>();
  const signed = new ByRecordAndRoute<Assertion>();
  const signing = new ByRecordAndRoute<Promise<readonly string[]>>();

  function sign(route: GateRoute, record: SessionRecord, headers: readonly string[]): Promise<readonly string[]> {
    const underWay = signing.get(record, route);
    if (underWay !== undefined) return underWay;
    const making = route.assertion!(record)
      .then((assertion) => {
        const whole = [...headers, ...assertion.headers];
        signed.set(record, route, { ...assertion, headers: whole });
        return whole;
      })
      .finally(() => signing.delete(record, route));
    signing.set(record, route, making);
    return making;
  }

  return (route, record) => {
    let headers = plain.get(record, route);
    if (headers === undefined) {
      headers = route.identityHeaders(record);
      plain.set(record, route, headers);
    }
    if (route.assertion === undefined) return headers;
    const made = signed.get(record, route);
    return made !== undefined && clock.monotonicMs() < made.renewAtMs ? made.headers : sign(route, record, headers);
  };
}

/** Goes with the record. */
class ByRecordAndRoute<Value> {
  readonly #byRecord = new WeakMap<SessionRecord, Map<GateRoute, Value>>();

  get(record: SessionRecord, route: GateRoute): Value | undefined {
    return this.#byRecord.get(record)?.get(route);
  }

  set(record: SessionRecord, route: GateRoute, value: Value): void {
    const byRoute = this.#byRecord.get(record);
    if (byRoute === undefined) this.#byRecord.set(record, new Map([[route, value]]));
    else byRoute.set(route, value);
  }

  delete(record: SessionRecord, route: GateRoute): void {
    this.#byRecord.get(record)?.delete(route);
  }
}

// What the doors share. It belongs to the process and outlives snapshots.

import type { Emit } from '../base/events.ts';
import type { NoteActivity } from '../gate/decide.ts';
import type { EndSessions } from '../logout/end-sessions.ts';
import type { ConnectionRegistry } from '../proxy/connection-registry.ts';
import type { SlicedQueue } from '../proxy/sliced-queue.ts';
import type { FormIntake } from './form-intake.ts';
import type { Snapshot } from './snapshot.ts';

/** For the metrics of requests: the route's name, the method, the status and the duration. */
export type CountRequest = (route: string, method: string, status: number, seconds: number) => void;

export interface DoorParts {
  /** The configuration in force for a request that enters now. */
  snapshot(): Snapshot;
  readonly registry: ConnectionRegistry;
  readonly noteActivity: NoteActivity;
  /** For an application that logs its user out. */
  readonly endSessions: EndSessions;
  readonly countRequest: CountRequest;
  readonly emit: Emit;
  /**
   * The gate's own endpoints, a slice per turn of the event loop. Anybody may post notices, and Node.js accepts one new
   * connection a turn: were a whole flood answered in each, whoever connects meanwhile, Keycloak with a genuine notice
   * among them, would wait for as many floods as there are connections before it.
   */
  readonly ownWork: SlicedQueue;
  /** Forms that are arriving, to be kept. */
  readonly formIntake: FormIntake;
  /** Requests that the registry does not know: on own endpoints, and waiting for their decision. */
  readonly pending: { count: number };
}

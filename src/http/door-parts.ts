// What the doors share. It belongs to the process and outlives snapshots.

import type { Emit } from '../base/events.ts';
import type { NoteActivity } from '../gate/decide.ts';
import type { ConnectionRegistry } from '../proxy/connection-registry.ts';
import type { Snapshot } from './snapshot.ts';

/** For the metrics of requests: the route's name, the method, the status and the duration. */
export type CountRequest = (route: string, method: string, status: number, seconds: number) => void;

export interface DoorParts {
  /** The configuration in force for a request that enters now. */
  snapshot(): Snapshot;
  readonly registry: ConnectionRegistry;
  readonly noteActivity: NoteActivity;
  readonly countRequest: CountRequest;
  readonly emit: Emit;
  /** Requests that the registry does not know: on own endpoints, and waiting for their decision. */
  readonly pending: { count: number };
}

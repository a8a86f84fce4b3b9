// Everything the rooms tell the outside. Rooms emit; telemetry turns events into log lines, metrics and the audit trail.
// No event carries a token, code, cookie or secret.

export type EndReason =
  | 'logout'
  | 'app_logout'
  | 'backchannel_logout'
  | 'k_logout'
  | 'not_before'
  | 'frontchannel_logout'
  | 'refresh_refused'
  | 'revalidation'
  | 'idle_timeout'
  | 'absolute_timeout'
  | 'operator'
  | 'replaced'
  | 'evicted';

export type NoticeKind = 'backchannel' | 'k_logout' | 'k_push_not_before' | 'k_test_available' | 'frontchannel';

/** Live connections by kind, or how many of them were cut. */
export interface ConnectionCounts {
  requests: number;
  streams: number;
  websockets: number;
}

export type RefreshOutcome = 'refreshed' | 'refused' | 'unavailable';

export type GateEvent =
  | { event: 'login.succeeded'; user: string; sub: string; sid: string | undefined; session: string; address: string }
  | { event: 'bearer.accepted'; user: string; sub: string; sid: string | undefined; session: string; address: string }
  | { event: 'login.failed'; code: string; why: string; address: string; request_id: string }
  | { event: 'session.refreshed'; user: string; sub: string; sid: string | undefined; session: string }
  | ({
      event: 'session.ended';
      reason: EndReason;
      notice: NoticeKind | undefined;
      user: string;
      sub: string;
      sid: string | undefined;
      session: string;
      /** Milliseconds from the notice's last byte (or the decision to end) to stop, and to the last close. */
      stop_ms: number;
      close_ms: number;
      /** A check with the provider found this end, and no notice told it. */
      notice_missed: boolean;
    } & ConnectionCounts)
  /** This replica's part in an end that another replica accounts for. */
  | ({
      event: 'session.stopped';
      user: string;
      sub: string;
      sid: string | undefined;
      session: string;
    } & ConnectionCounts)
  | { event: 'notice.accepted'; kind: NoticeKind; sub: string | undefined; sid: string | undefined; ended: number }
  | { event: 'notice.refused'; kind: NoticeKind; why: string }
  | {
      event: 'relay.failed';
      /** `logout.notify`, or the `logout.relay` of `route`. */
      call: 'notify' | 'relay';
      route: string | undefined;
      user: string;
      sub: string;
      session: string;
      attempts: number;
      why: string;
    }
  | {
      event: 'access.denied';
      user: string;
      sub: string;
      session: string;
      route: string;
      method: string;
      request_id: string;
      why: string;
    }
  | { event: 'form.kept'; route: string; bytes: number; sub: string; address: string; request_id: string }
  | {
      event: 'form.refused';
      why: 'too_large' | 'too_many' | 'incomplete';
      route: string;
      sub: string;
      address: string;
      request_id: string;
    }
  | {
      event: 'form.sent';
      route: string;
      bytes: number;
      user: string;
      sub: string;
      session: string;
      request_id: string;
    }
  | { event: 'form.removed'; why: 'other_user' | 'discarded'; user: string; sub: string; session: string }
  | { event: 'refresh.finished'; outcome: RefreshOutcome; code: string | undefined; session: string }
  | { event: 'probe.unavailable'; session: string; code: string }
  | { event: 'probe.not_armed'; why: string }
  | { event: 'keys.fetched'; outcome: 'fetched' | 'failed'; why: string | undefined }
  | { event: 'provider.ready'; issuer: string }
  | { event: 'provider.unavailable'; issuer: string; why: string }
  | { event: 'store.failed'; operation: string; why: string }
  | { event: 'store.lost'; why: string; server: string }
  | { event: 'store.ready' }
  | { event: 'sessions.restored'; count: number; left_out: number }
  | { event: 'upstream.failed'; route: string; code: string; why: string; request_id: string }
  | { event: 'request.failed'; code: string; why: string; request_id: string }
  | { event: 'config.reloaded'; restart_needed: readonly string[] }
  | { event: 'config.refused'; problems: readonly string[] }
  | { event: 'gate.started'; listen: string; admin: string; public_urls: readonly string[] }
  | { event: 'gate.stopping'; signal: string }
  | { event: 'gate.stopped' }
  | { event: 'gate.warning'; code: string; message: string };

export type Emit = (event: GateEvent) => void;

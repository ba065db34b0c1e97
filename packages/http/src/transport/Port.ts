/**
 * What all connections of one listener share: who answers, the limits, the clock, and how many there are.
 *
 * When to reach for it: `Transport` makes one for every address that it listens on.
 * What it is not: a listener. It knows no address.
 */
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import * as Limits from "../Limits.ts"
import type { ServerRequest } from "../Request.ts"
import type { Connection } from "./Connection.ts"
import type { Deadlines } from "./Deadline.ts"
import type { Observer } from "./Observation.ts"
import { RequestHead } from "./RequestHead.ts"
import { ResponseHead } from "./ResponseHead.ts"

/** What a transport takes of the configuration, as plain numbers: milliseconds and bytes. */
export interface Settings {
  readonly headMax: number
  readonly fieldMax: number
  readonly bodyMax: number
  readonly headTimeout: number
  readonly bodyTimeout: number
  readonly idleTimeout: number
  readonly writeTimeout: number
  readonly drainTimeout: number
  readonly requestLimit: number
  readonly backlog: number
  readonly server: string
  /** Seconds that browsers shall insist on TLS, where the port has it; 0 or missing where they shall not be told. */
  readonly hstsSeconds?: number
  /** What one address may have; missing where there is no limit. */
  readonly addressLimits?: Limits.Limits
}

/** Who answers the requests of a port. */
export interface Handler {
  /** Starts the work for a request. It must lead to one `respond`, now or later, unless the connection goes away. */
  readonly handle: (request: ServerRequest, connection: Connection) => void
  /** Reports a fault of the application that the client cannot be told of any more. */
  readonly report: (cause: Cause.Cause<unknown>, request: ServerRequest) => void
  /** Completes when nothing works for a request any more, finalizers behind answers included; then nothing is lost. */
  readonly idle?: Effect.Effect<void>
  /** Is told of every request that has ended, those that no handler sees included. Without it nothing is noted down. */
  readonly observer?: Observer | undefined
}

export interface Port extends Handler {
  readonly settings: Settings
  readonly requestHead: RequestHead
  readonly responseHead: ResponseHead
  readonly deadlines: Deadlines
  readonly clock: Clock.Clock
  /** What every address has, where that has a limit. */
  readonly addresses: Limits.Addresses | undefined
  readonly isEncrypted: boolean
  readonly connections: Set<Connection>
  /** Called whenever a connection has gone. */
  readonly onClosed: Set<() => void>
  /** Requests that are being answered now. */
  live: number
  /** True when no connection may be kept: the server stops. */
  draining: boolean
}

/** A port without connections. */
export const make = (
  { clock, deadlines }: Pick<Port, "clock" | "deadlines">,
  settings: Settings,
  handler: Handler,
  isEncrypted: boolean
): Port => ({
  handle: handler.handle,
  report: handler.report,
  observer: handler.observer,
  settings,
  requestHead: new RequestHead({ size: settings.headMax, fields: settings.fieldMax }),
  responseHead: new ResponseHead({
    deadlines,
    server: settings.server,
    keepAliveSeconds: Math.floor(settings.idleTimeout / 1000),
    hstsSeconds: isEncrypted ? settings.hstsSeconds ?? 0 : 0
  }),
  deadlines,
  clock,
  addresses: settings.addressLimits === undefined ? undefined : Limits.make(settings.addressLimits),
  isEncrypted,
  connections: new Set(),
  onClosed: new Set(),
  live: 0,
  draining: false
})

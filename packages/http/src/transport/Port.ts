/**
 * What all connections of one listener share: who answers, the limits, the clock, and how many there are.
 *
 * When to reach for it: `Transport` makes one for every address that it listens on.
 * What it is not: a listener. It knows no address.
 */
import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type { ServerRequest } from "../Request.ts"
import type { Connection } from "./Connection.ts"
import type { Deadlines } from "./Deadline.ts"
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
}

/** Who answers the requests of a port. */
export interface Handler {
  /** Starts the work for a request. It must lead to one `respond`, now or later, unless the connection goes away. */
  readonly handle: (request: ServerRequest, connection: Connection) => void
  /** Reports a fault of the application that the client cannot be told of any more. */
  readonly report: (cause: Cause.Cause<unknown>, request: ServerRequest) => void
  /** Completes when nothing works for a request any more, finalizers behind answers included; then nothing is lost. */
  readonly idle?: Effect.Effect<void>
}

export interface Port extends Handler {
  readonly settings: Settings
  readonly requestHead: RequestHead
  readonly responseHead: ResponseHead
  readonly deadlines: Deadlines
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
export const make = (deadlines: Deadlines, settings: Settings, handler: Handler, isEncrypted: boolean): Port => ({
  handle: handler.handle,
  report: handler.report,
  settings,
  requestHead: new RequestHead({ size: settings.headMax, fields: settings.fieldMax }),
  responseHead: new ResponseHead({
    deadlines,
    server: settings.server,
    keepAliveSeconds: Math.floor(settings.idleTimeout / 1000)
  }),
  deadlines,
  isEncrypted,
  connections: new Set(),
  onClosed: new Set(),
  live: 0,
  draining: false
})

/**
 * The module `kore` of the old API, with its names.
 *
 * When to reach for it: `import { kore } from "kore-fx/legacy"`, or `import * as kore from "kore-fx/legacy"`.
 * What it is not: complete. What belongs to later capabilities (databases, the HTTP client, WebSocket, the sandbox, …)
 * is not there rather than there without effect.
 */
export type { Awaitable } from "./Awaitable.ts"
export { config } from "./Config.ts"
export * from "./constants.ts"
export type { Coroutine } from "./Coroutine.ts"
export { type Domain, domain, type DomainOptions, type Filemaps } from "./Domain.ts"
export { Killed, RuntimeError, TimeoutError } from "./errors.ts"
export { gather, type Gathered, type GatherOptions } from "./Gather.ts"
export type { HttpFile } from "./HttpFile.ts"
export { type Held, type Lock, lock } from "./Lock.ts"
export { log } from "./Log.ts"
export { sendobj, type SendobjOptions } from "./Message.ts"
export { prerequest } from "./Prerequest.ts"
export { type Proc, proc, type ProcOptions } from "./Proc.ts"
export { app, fatal, fatalx, setname, shutdown, sigtrap, time, tracer, worker } from "./Process.ts"
export { run } from "./Program.ts"
export { type Queue, queue } from "./Queue.ts"
export type { Body, Connection, Request } from "./Request.ts"
export {
  type Auth,
  type Handler,
  type Hooks,
  type ModuleRouteOptions,
  type Parameters,
  route,
  type RouteOptions,
  type Validator
} from "./Route.ts"
export { server, type ServerOptions } from "./Server.ts"
export { type Ancillary, type Received, type ReceivedUnix, type Socket, socket_wrap, type Wrappable } from "./Socket.ts"
export { type InetAddress, type PlainSocket, socket } from "./SocketModule.ts"
export { suspend } from "./Suspend.ts"
export { task_create, task_id, task_kill } from "./Task.ts"
export { type Timer, timer, type TimerMethod, type TimerOptions } from "./Timer.ts"
export { coroname, corotrace } from "./Trace.ts"

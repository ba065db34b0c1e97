/** kore-fx: a web application platform whose requests, tasks and processes are Effects. */
export {
  App,
  Config,
  Fibers,
  Gather,
  KeyedLock,
  KoreError,
  Listener,
  Lock,
  Log,
  Message,
  Queue,
  Scheduler,
  Signal,
  Socket,
  SocketError,
  Suspend,
  Task,
  Timer,
  Tracer,
  Wait,
  Worker
} from "@kore-fx/core"
export {
  Domain,
  HttpError,
  HttpServer,
  Middleware,
  Problem,
  Request,
  Response,
  Route,
  Router,
  Server,
  Transport
} from "@kore-fx/http"
export { Command, Proc, ProcError } from "@kore-fx/proc"
export * as Kore from "./Kore.ts"

/** kore-fx: a web application platform whose requests, tasks and processes are Effects. */
export { App, Config, KoreError, Listener, Lock, Log, Queue, Suspend, Task, Tracer, Worker } from "@kore-fx/core"
export {
  Domain,
  HttpError,
  HttpServer,
  Problem,
  Request,
  Response,
  Route,
  Router,
  Server,
  Transport
} from "@kore-fx/http"
export * as Kore from "./Kore.ts"

/**
 * One request and its answer as fibers: the handler, the stream that sends its body, and what is released afterwards.
 *
 * When to reach for it: `Server` runs one for every request that a route answers.
 * What it is not: the connection, which only knows the fiber to interrupt when the client leaves.
 *
 * HOT PATH: a handler that does not suspend, acquires nothing and answers with bytes costs one fiber and no `Exchange`.
 */
import type * as Fibers from "@kore-fx/core/Fibers"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { HttpServerError, HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import * as Problem from "./Problem.ts"
import type { ServerRequest } from "./Request.ts"
import type { Found, Route } from "./Route.ts"
import type { Connection } from "./transport/Connection.ts"
import type * as Transport from "./transport/Transport.ts"

/** A route with the services of its domain, in one flat Context. */
export interface Target {
  readonly route: Route<any, any>
  readonly context: Context.Context<never>
  /** Bytes that a body may have here, where that is less than what the server takes. */
  readonly bodyMax: number | undefined
}

/** A fiber that works for a request, as people see it in the list of fibers. */
class Worker implements Fibers.Root {
  readonly created = performance.now()
  readonly fiber: Fiber.Fiber<unknown, unknown>
  private readonly request: ServerRequest

  constructor(fiber: Fiber.Fiber<unknown, unknown>, request: ServerRequest) {
    this.fiber = fiber
    this.request = request
  }

  get kind(): string {
    return "request"
  }

  get name(): string {
    return `${this.request.method} ${this.request.path}`
  }

  get id(): number {
    return this.fiber.id
  }
}

/** The fibers that work for requests: a server ends when the last of them has. */
export class Work implements Fibers.Source {
  private readonly workers = new Map<Fiber.Fiber<unknown, unknown>, Worker>()
  private readonly waiting = new Set<() => void>()

  /** Counts a fiber in until it ends. What its end leads to must be observed before, so that no gap is taken for the end. */
  track(fiber: Fiber.Fiber<unknown, unknown>, request: ServerRequest): void {
    if (fiber.pollUnsafe() !== undefined) return
    this.workers.set(fiber, new Worker(fiber, request))
    fiber.addObserver(() => {
      this.workers.delete(fiber)
      if (this.workers.size > 0) return
      for (const wake of this.waiting) wake()
    })
  }

  /** Completes when no fiber is left. */
  readonly idle: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.workers.size === 0) return resume(Effect.void)
    const wake = () => resume(Effect.void)
    this.waiting.add(wake)
    return Effect.sync(() => void this.waiting.delete(wake))
  })

  readonly roots = (): Iterable<Fibers.Root> => this.workers.values()

  /** The request that a task serves, for the report of its failure. */
  readonly describe = (context: Context.Context<never>): Readonly<Record<string, unknown>> | undefined => {
    const request = Context.getOrUndefined(context as Context.Context<any>, HttpServerRequest.HttpServerRequest)
    return request === undefined ? undefined : { request: `${request.method} ${request.originalUrl.split("?", 1)[0]}` }
  }
}

/** Where a request comes from and goes to. */
export interface Surroundings {
  readonly connection: Connection
  readonly report: Transport.Report
  readonly work: Work
  /** What becomes of an answer with a status of 400 and above; none where it goes out as it is. */
  readonly errorPage: ErrorPage | undefined
}

/** Makes the answer to an error what the client prefers. */
export type ErrorPage = (
  request: ServerRequest,
  response: HttpServerResponse.HttpServerResponse
) => HttpServerResponse.HttpServerResponse

/** Sends an answer; see `Connection.respond`. */
export const send = (
  { connection, errorPage }: Surroundings,
  request: ServerRequest,
  response: HttpServerResponse.HttpServerResponse
): Effect.Effect<void> | undefined =>
  connection.respond(
    request,
    errorPage === undefined || response.status < 400 ? response : errorPage(request, response)
  )

/** Answers a request with a route. */
export const run = (
  { bodyMax, context, route }: Target,
  found: Found,
  request: ServerRequest,
  surroundings: Surroundings
): void => {
  if (bodyMax !== undefined && request.body !== undefined && !request.body.restrict(bodyMax)) {
    const detail = `the request body is larger than the ${bodyMax} bytes that are allowed here`
    return void send(surroundings, request, Problem.response({ status: 413, detail }))
  }
  const scope = Scope.makeUnsafe()
  const services = Context.add(
    Context.add(context, HttpServerRequest.HttpServerRequest, request),
    Scope.Scope,
    scope
  ) as Context.Context<any>
  let effect: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, any>
  try {
    effect = route.handler(request, found)
  } catch (defect) {
    effect = Effect.die(defect)
  }
  const fiber = Effect.runForkWith(services)(effect)
  const exit = fiber.pollUnsafe()
  if (exit === undefined) {
    const exchange = new Exchange(request, scope, services, surroundings)
    request.fiber = fiber
    fiber.addObserver((exit) => exchange.done(exit))
    surroundings.work.track(fiber, request)
  } else if (exit._tag === "Failure" || scope.state._tag !== "Empty") {
    new Exchange(request, scope, services, surroundings).done(exit)
  } else {
    const sending = send(surroundings, request, exit.value)
    if (sending === undefined) scope.state = CLOSED
    else new Exchange(request, scope, services, surroundings).stream(sending)
  }
}

/** What is left to do for a request whose handler waited, failed, streams, or acquired something. */
class Exchange {
  private readonly request: ServerRequest
  private readonly scope: Scope.Closeable
  private readonly services: Context.Context<any>
  private readonly surroundings: Surroundings

  constructor(
    request: ServerRequest,
    scope: Scope.Closeable,
    services: Context.Context<any>,
    surroundings: Surroundings
  ) {
    this.request = request
    this.scope = scope
    this.services = services
    this.surroundings = surroundings
  }

  private fork<A, E>(effect: Effect.Effect<A, E, any>, observer: (exit: Exit.Exit<A, E>) => void) {
    const fiber = Effect.runForkWith(this.services)(effect)
    fiber.addObserver(observer)
    this.surroundings.work.track(fiber, this.request)
    return fiber
  }

  done(exit: Exit.Exit<HttpServerResponse.HttpServerResponse, unknown>): void {
    if (exit._tag === "Failure") return this.failed(exit.cause)
    this.respond(exit.value, exit)
  }

  private respond(response: HttpServerResponse.HttpServerResponse, exit: Exit.Exit<unknown, unknown>): void {
    const sending = send(this.surroundings, this.request, response)
    if (sending === undefined) this.close(exit)
    else this.stream(sending)
  }

  // The body is made while it is sent, by a fiber that ends with the connection as the handler's does. What the
  // handler acquired stays open until then.
  stream(sending: Effect.Effect<void>): void {
    const fiber = this.fork(sending, (exit) => this.close(exit))
    if (fiber.pollUnsafe() === undefined) this.request.fiber = fiber
  }

  private failed(cause: Cause.Cause<unknown>): void {
    const fiber = this.fork(HttpServerError.causeResponse(cause), (answer) => {
      const response = answer._tag === "Success" ? answer.value[0] : INTERNAL_ERROR
      const isCutOff = answer._tag === "Failure" && Cause.hasInterruptsOnly(answer.cause)
      // An error that knows its answer is part of the conversation; everything else is a fault of the program.
      if (!isCutOff && !Cause.hasInterruptsOnly(cause) && (response.status >= 500 || Cause.hasDies(cause))) {
        this.surroundings.report(cause, this.request)
      }
      const bare = response.status >= 500 && response.body._tag === "Empty"
      this.respond(bare ? Problem.response({ status: response.status }) : response, Exit.failCause(cause))
    })
    // An error may take its time over its answer, and its client leave meanwhile.
    if (fiber.pollUnsafe() === undefined) this.request.fiber = fiber
  }

  private close(exit: Exit.Exit<unknown, unknown>): void {
    if (this.scope.state._tag === "Empty") {
      this.scope.state = CLOSED
      return
    }
    this.fork(Scope.close(this.scope, exit), (closed) => {
      if (closed._tag === "Failure") this.surroundings.report(closed.cause, this.request)
    })
  }
}

// Of a scope in which nothing was: whoever adds to it later, from a fiber that went on, runs its finalizer at once.
const CLOSED: Scope.Scope["state"] = { _tag: "Closed", exit: Exit.void }

const INTERNAL_ERROR = HttpServerResponse.empty({ status: 500 })

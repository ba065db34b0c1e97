/**
 * The functions of an app as handlers of routes.
 *
 * When to reach for it: `WorkerLayer` compiles every route with it.
 * What it is not: a server. Core finds the route, reports failures and writes the response.
 *
 * A handler that does not wait costs no fiber of its own. One that does is a task of the worker: it has an id, goes on
 * after its response, and is killed when its client leaves before. Kore: http §5.4, runtime §2.1.
 */
import * as Task from "@kore-fx/core/Task"
import type { ServerRequest } from "@kore-fx/http/Request"
import type * as Response from "@kore-fx/http/Response"
import * as Route from "@kore-fx/http/Route"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { isCoroutineFunction, isPending } from "../Coroutine.ts"
import { requestOf } from "../Request.ts"
import { functionOf, type Owner } from "./declare.ts"
import * as Exchange from "./Exchange.ts"
import * as Guard from "./Guard.ts"
import { services } from "./Registry.ts"
import type * as Registry from "./Registry.ts"
import { receive } from "./RequestBody.ts"
import * as Run from "./Run.ts"

type Answer = Effect.Effect<Response.Response, any, any>

/**
 * A route that calls a function of the app, with the app as `this`.
 *
 * @throws RuntimeError for a function that is the name of something else than a method.
 */
export const route = (
  { methods, pattern, url }: Registry.Route,
  call: Registry.Call,
  owner: Owner
): Route.Route<any, any> => {
  const { app, module } = owner
  const handler = functionOf(call.handler, `the route "${url}" has the handler`, app, module)
  const name = `the handler ${handler.name === "" ? "" : `${handler.name} `}of "${url}"`
  const origin: Exchange.Origin = { name, app, declaration: call.parameters }
  const isCoroutine = isCoroutineFunction(handler)
  const answer = (exchange: Exchange.Exchange, found: Route.Found): Answer => {
    const req = requestOf(exchange)
    const run = () => handler.call(app, req, ...found as ReadonlyArray<string | undefined>)
    return isCoroutine ? inTask(exchange, Run.start(exchange.name, run)) : called(exchange, run)
  }
  const guard = Guard.make(url, call, owner)
  const isShared = guard !== undefined || call.auth !== undefined || call.hooks.on_free !== undefined
  const exchangeOf = (request: ServerRequest): Exchange.Exchange =>
    isShared ? Exchange.shared(request, origin) : Exchange.make(request, origin)
  const direct = (request: ServerRequest, found: Route.Found): Answer => {
    const exchange = exchangeOf(request)
    return request.body === undefined
      ? answer(exchange, found)
      : Effect.flatMapEager(receive(exchange), () => answer(exchange, found))
  }
  const guarded = (request: ServerRequest, found: Route.Found): Answer => {
    const exchange = exchangeOf(request)
    return guard!(exchange, requestOf(exchange), Effect.suspend(() => answer(exchange, found)))
  }
  const compiled = guard === undefined ? direct : guarded
  const asked = call.auth === undefined
    ? compiled
    : Guard.authenticated(url, call.auth, origin, module, compiled)
  return Route.make<any, any>({ methods, pattern, handler: Guard.freed(url, call.hooks, origin, module, asked) })
}

// A handler that may or may not wait.
const called = (exchange: Exchange.Exchange, call: () => unknown): Answer => {
  const run = new Run.Run(exchange.name)
  let result: unknown
  try {
    result = run.enter(call)
  } catch (error) {
    return exchange.failed(Cause.die(error))
  }
  return isPending(result) ? inTask(exchange, run.resume(Run.watched(result)), run) : exchange.ended()
}

// Waits for the response, and no longer than for the end of the coroutine, which runs already if it has a run.
const inTask = (exchange: Exchange.Exchange, coroutine: Effect.Effect<unknown, unknown>, run?: Run.Run): Answer =>
  Effect.callback((resume) => {
    exchange.onResponse = (response) => resume(Effect.succeed(response))
    if (exchange.response !== undefined) exchange.onResponse(exchange.response)
    const context = services()
    // The task itself never fails: a failure belongs to the request, and is reported once.
    const task = Context.get(context, Task.Tasks).createUnsafe(context, Effect.exit(coroutine), { name: exchange.name })
    // It may go on after its answer, and read its body then.
    const { hasFiles } = exchange
    if (hasFiles) exchange.hold()
    Effect.runForkWith(context)(task.await).addObserver((exit) => {
      resume(answerOf(exchange, exit))
      if (hasFiles) Effect.runForkWith(context)(exchange.release)
    })
    return Effect.suspend(() => {
      exchange.over = true
      // Its task may not have begun.
      run?.kill()
      return task.kill
    })
  })

type TaskExit = Exit.Exit<Exit.Exit<Exit.Exit<unknown, unknown>>>

const answerOf = (exchange: Exchange.Exchange, exit: TaskExit): Answer => {
  if (exit._tag === "Failure") return Effect.failCause(exit.cause)
  const task = exit.value
  if (task._tag === "Success") {
    return task.value._tag === "Success" ? exchange.ended() : exchange.failed(task.value.cause)
  }
  // Killed, and reported by the tasks if it did not go quietly.
  exchange.over = true
  return Effect.interrupt
}

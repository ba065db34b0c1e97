/**
 * The functions of an app as handlers of routes.
 *
 * When to reach for it: `Program` compiles every route with it.
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
import { Request } from "../Request.ts"
import { Exchange } from "./Exchange.ts"
import { services } from "./Registry.ts"
import type * as Registry from "./Registry.ts"
import * as Run from "./Run.ts"

type Answer = Effect.Effect<Response.Response>

const NO_BYTES = new Uint8Array(0)

/** A route that calls a function of the app, with the app as `this`. */
export const route = (
  { methods, pattern, url }: Registry.Route,
  handler: (...args: Array<any>) => unknown,
  app: unknown
): Route.Route<any> => {
  const name = `the handler ${handler.name === "" ? "" : `${handler.name} `}of "${url}"`
  const isCoroutine = isCoroutineFunction(handler)
  const answer = (request: ServerRequest, found: Route.Found, body: Uint8Array): Answer => {
    const exchange = new Exchange(request, body, name)
    const call = () => handler.call(app, new Request(exchange), ...found as ReadonlyArray<string | undefined>)
    if (isCoroutine) return inTask(exchange, Run.start(exchange.name, call))
    const run = new Run.Run(exchange.name)
    let result: unknown
    try {
      result = run.enter(call)
    } catch (error) {
      return exchange.failed(Cause.die(error))
    }
    return isPending(result) ? inTask(exchange, run.resume(result), run) : exchange.ended()
  }
  return Route.make({
    methods,
    pattern,
    handler: (request, found) =>
      request.body === undefined
        ? answer(request, found, NO_BYTES)
        : Effect.flatMapEager(request.bytes, (body) => answer(request, found, body))
  })
}

// Waits for the response, and no longer than for the end of the coroutine, which runs already if it has a run.
const inTask = (exchange: Exchange, coroutine: Effect.Effect<unknown, unknown>, run?: Run.Run): Answer =>
  Effect.callback((resume) => {
    exchange.onResponse = (response) => resume(Effect.succeed(response))
    if (exchange.response !== undefined) exchange.onResponse(exchange.response)
    const context = services()
    // The task itself never fails: a failure belongs to the request, and is reported once.
    const task = Context.get(context, Task.Tasks).createUnsafe(context, Effect.exit(coroutine), { name: exchange.name })
    Effect.runForkWith(context)(task.await).addObserver((exit) => resume(answerOf(exchange, exit)))
    return Effect.suspend(() => {
      exchange.over = true
      // Its task may not have begun.
      run?.kill()
      return task.kill
    })
  })

type TaskExit = Exit.Exit<Exit.Exit<Exit.Exit<unknown, unknown>>>

const answerOf = (exchange: Exchange, exit: TaskExit): Answer => {
  if (exit._tag === "Failure") return Effect.failCause(exit.cause)
  const task = exit.value
  if (task._tag === "Success") {
    return task.value._tag === "Success" ? exchange.ended() : exchange.failed(task.value.cause)
  }
  // Killed, and reported by the tasks if it did not go quietly.
  exchange.over = true
  return Effect.interrupt
}

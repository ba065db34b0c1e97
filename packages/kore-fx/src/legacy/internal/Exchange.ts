/**
 * One request of the old API and its one answer.
 *
 * When to reach for it: `Request` writes the answer, `Handler` waits for it.
 * What it is not: a request or a response; core has those.
 */
import * as Tracer from "@kore-fx/core/Tracer"
import type { ServerRequest } from "@kore-fx/http/Request"
import type * as Response from "@kore-fx/http/Response"
import { isFieldName, isFieldValue } from "@kore-fx/http/transport/Syntax"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { describe } from "../Coroutine.ts"
import { RuntimeError } from "../errors.ts"
import { write } from "../Log.ts"
import * as Body from "./Body.ts"
import { services } from "./Registry.ts"

// What the transport decides: a value of the application would break the framing of the connection.
const FRAMING = new Set(["content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"])

export class Exchange {
  readonly request: ServerRequest
  readonly body: Uint8Array
  /** The handler, for people. */
  readonly handler: string
  /** The answer, once it is given. */
  response: Response.Response | undefined = undefined
  /** Called with the answer, when the handler goes on after it. */
  onResponse: ((response: Response.Response) => void) | undefined = undefined
  /** The client has left, or was answered for the handler: nothing can be sent any more. */
  over = false
  private readonly headers: Record<string, string> = {}

  constructor(request: ServerRequest, body: Uint8Array, handler: string) {
    this.request = request
    this.body = body
    this.handler = handler
  }

  /** Method and path, as in the log lines of the server. */
  get name(): string {
    return `${this.request.method} ${this.request.path}`
  }

  setHeader(name: string, value: string): void {
    const text = String(value)
    const key = String(name).toLowerCase()
    if (this.response !== undefined) {
      throw new RuntimeError(`req.response_header("${name}") comes after req.response: the answer has been sent`)
    }
    if (!isFieldName(key)) throw new RuntimeError(`${describe(name)} is not the name of a header`)
    if (!isFieldValue(text)) {
      throw new RuntimeError(
        `the header ${key} cannot have the value ${describe(text)}: no control characters, only Latin-1`
      )
    }
    if (FRAMING.has(key) || (key === "connection" && text.toLowerCase() !== "close")) {
      throw new RuntimeError(`the header ${key} belongs to the server, which frames every response itself`)
    }
    // The one that is set last comes last.
    delete this.headers[key]
    this.headers[key] = text
  }

  /** Gives the answer. A second one is an error in the log and nothing on the wire. */
  respond(status: number, body: unknown): void {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RuntimeError(`req.response got the status ${describe(status)}, expected a number from 200 to 599`)
    }
    if (this.over) return
    if (this.response !== undefined) {
      return write(Effect.logError(
        `${this.name}: ${this.handler} called req.response(${status}, …) after ` +
          `req.response(${this.response.status}, …); only the first answer was sent`
      ))
    }
    this.response = Body.response(status, body, this.headers, this.name)
    this.onResponse?.(this.response)
  }

  /** The answer of a handler that has ended. */
  ended(): Effect.Effect<Response.Response> {
    return this.response === undefined
      ? Effect.die(new RuntimeError(`${this.handler} ended without calling req.response`))
      : Effect.succeed(this.response)
  }

  /** The answer of a handler that failed. The server reports what has no other answer, and answers 500. */
  failed(cause: Cause.Cause<unknown>): Effect.Effect<Response.Response> {
    const { response } = this
    if (response === undefined) return Effect.failCause(cause as Cause.Cause<never>)
    Context.get(services(), Tracer.Tracer).reportUnsafe(cause, { kind: "request", name: this.name, id: this.handler })
    return Effect.succeed(response)
  }
}

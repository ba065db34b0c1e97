/**
 * One request of the old API and its one answer.
 *
 * When to reach for it: `Request` writes the answer, `Handler` waits for it.
 * What it is not: a request or a response; core has those.
 */
import * as Tracer from "@kore-fx/core/Tracer"
import * as Arguments from "@kore-fx/http/Arguments"
import type { Declaration } from "@kore-fx/http/arguments/Declaration"
import type { ServerRequest } from "@kore-fx/http/Request"
import type * as Response from "@kore-fx/http/Response"
import type * as StoredBody from "@kore-fx/http/StoredBody"
import { isFieldName, isFieldValue } from "@kore-fx/http/transport/Syntax"
import type { UploadedFile } from "@kore-fx/http/UploadedFile"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { describe } from "../Coroutine.ts"
import { RuntimeError } from "../errors.ts"
import { write } from "../Log.ts"
import * as ResponseBody from "./Body.ts"
import { fromSetCookie, hasNoCookies, type HttpServerRequest, isRespondable, mergeCookies } from "./effectHttp.ts"
import { services } from "./Registry.ts"

// What the transport decides: a value of the application would break the framing of the connection.
const FRAMING = new Set(["content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"])

/** Requests that something besides their handler must find again: validators, authentication. */
const exchanges = new WeakMap<HttpServerRequest, Exchange>()

/** The exchange of a request that was remembered. */
export const of = (request: HttpServerRequest): Exchange => exchanges.get(request)!

/** The exchange of a request that has more than a handler: the one that was remembered, or a new one that is. */
export const shared = (request: ServerRequest, origin: Origin): Exchange =>
  exchanges.get(request) ?? make(request, origin).remember()

/** A new exchange. */
export const make = (request: ServerRequest, origin: Origin): Exchange =>
  new Exchange(request, origin, request.body === undefined ? NO_BYTES : "expected")

const NO_BYTES = new Uint8Array(0)

/** The body of a request: in memory, stored, given to a hook piece by piece, or still to come. */
export type Body = Uint8Array | StoredBody.StoredBody | "passed on" | "expected"

/** What a request was for. */
export interface Origin {
  /** The handler, for people. */
  readonly name: string
  /** What functions of the app are called with as `this`. */
  readonly app: unknown
  readonly declaration: Declaration<any> | undefined
}

export class Exchange {
  readonly request: ServerRequest
  /** The handler, for people. */
  readonly handler: string
  /** What functions of the app are called with as `this`. */
  readonly app: unknown
  /** The request as functions of the app see it. */
  req: unknown = undefined
  body: Body
  /** Where what is stored for the request lives, if anything is: it ends when nobody holds it any more. */
  get scope(): Scope.Closeable {
    return this.ownScope ??= Scope.makeUnsafe()
  }
  private ownScope: Scope.Closeable | undefined = undefined
  private holders = 0
  /** What the route says of parameters. */
  readonly declaration: Declaration<any> | undefined
  /** The parameters that were admitted so far. */
  parameters: Arguments.Arguments = Arguments.empty
  /** The files of a multipart form, once it was parsed. */
  files: ReadonlyArray<UploadedFile> = []
  /** The answer, once it is given. */
  response: Response.Response | undefined = undefined
  /** Called with the answer, when the handler goes on after it. */
  onResponse: ((response: Response.Response) => void) | undefined = undefined
  /** The client has left, or was answered for the handler: nothing can be sent any more. */
  over = false
  private readonly headers: Record<string, string> = {}
  // Each is a header of its own, and none replaces another one of another name (B13).
  private readonly cookies: Array<string> = []

  constructor(request: ServerRequest, { app, declaration, name }: Origin, body: Body) {
    this.request = request
    this.handler = name
    this.app = app
    this.declaration = declaration
    this.body = body
  }

  /** Lets `of` find it by its request. */
  remember(): this {
    exchanges.set(this.request, this)
    return this
  }

  /** Keeps what is stored until `release`: for the request, its coroutine, and what is called when all is over. */
  hold(): void {
    this.holders++
  }

  /** Lets go of what is stored; the last one to do so removes it. */
  get release(): Effect.Effect<void> {
    return Effect.suspend(() =>
      --this.holders === 0 && this.ownScope !== undefined ? Scope.close(this.ownScope, Exit.void) : Effect.void
    )
  }

  /** Whether the body, and so the files of a form, are kept on disk where they are large. */
  get hasFiles(): boolean {
    return typeof this.body !== "string" && !(this.body instanceof Uint8Array)
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
    if (key === "set-cookie") {
      if (hasNoCookies(fromSetCookie(text))) {
        throw new RuntimeError(`the header set-cookie has the value ${describe(text)}, expected a cookie such as "a=1"`)
      }
      this.cookies.push(text)
      return
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
    const response = ResponseBody.response(status, body, this.headers, this.name)
    this.response = this.cookies.length === 0 ? response : mergeCookies(response, fromSetCookie(this.cookies))
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
    if (response === undefined) {
      // What the platform says of a request has its answer with it; it comes through the app as the cause of an exception.
      const reason = (Cause.squash(cause) as { readonly cause?: unknown } | null | undefined)?.cause
      return isRespondable(reason) ? Effect.fail(reason as never) : Effect.failCause(cause as Cause.Cause<never>)
    }
    Context.get(services(), Tracer.Tracer).reportUnsafe(cause, { kind: "request", name: this.name, id: this.handler })
    return Effect.succeed(response)
  }
}

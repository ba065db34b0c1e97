/**
 * Events that a server sends for as long as the client listens: `text/event-stream` (WHATWG HTML §9.2), read in
 * browsers by `EventSource`.
 *
 * When to reach for it: news, progress and counters that go one way, over ordinary HTTP, through every proxy.
 * What it is not: a channel in both directions, which is a WebSocket; nor a store. What a client has missed can be sent
 * again only by a program that remembers it: see `resumable`.
 *
 * Effect's `encoding/Sse` parses well; its encoder takes identifiers with line breaks and has no comments, so the few
 * lines of writing are our own.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"

/** One event. Without `data` a browser calls nobody, but remembers `id` and `retry`. */
export interface Event {
  /** What the client sends as `Last-Event-ID` when it comes back; empty makes it forget. No line breaks, no NUL. */
  readonly id?: string | undefined
  /** The type that listeners are registered for; default: `message`. No line breaks. */
  readonly event?: string | undefined
  /** Text of any number of lines. CR and CR LF arrive as LF: the format knows no other line end. */
  readonly data?: string | undefined
  /** How long the client shall wait before it comes back. Whole milliseconds. */
  readonly retry?: Duration.Input | undefined
}

/** How events are sent. */
export interface Options {
  /**
   * How often a comment shows proxies, and this server, that both ends are there; 0 never. Default: 15 seconds. By the
   * Clock.
   */
  readonly keepAlive?: Duration.Input | undefined
  /** How long clients shall wait before they come back; sent first. Default: what browsers do, some 3 seconds. */
  readonly retry?: Duration.Input | undefined
  /** Further fields of the answer. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** The media type of event streams. */
export const MEDIA_TYPE = "text/event-stream"

const line = (name: "id" | "event", value: string, forbidden: RegExp): string => {
  if (forbidden.test(value)) {
    const expected = `expected text without line breaks${name === "id" ? " and NUL" : ""}`
    throw new TypeError(`ServerSentEvents: the ${name} of an event is ${JSON.stringify(value)}, ${expected}`)
  }
  return `${name}: ${value}\n`
}

const retryLine = (retry: Duration.Input): string => {
  const millis = Math.round(Duration.toMillis(Duration.fromInputUnsafe(retry)))
  if (!Number.isSafeInteger(millis)) throw new RangeError("ServerSentEvents: retry is no finite duration")
  return `retry: ${millis}\n`
}

/**
 * The text of an event, with the empty line that ends it.
 *
 * @throws TypeError for an id or a type that would become another line; RangeError for an infinite `retry`.
 *
 * @example
 * ```ts
 * import { ServerSentEvents } from "@kore-fx/http"
 *
 * export const text = ServerSentEvents.encode({ id: "7", data: "two\nlines" })
 * // "id: 7\ndata: two\ndata: lines\n\n"
 * ```
 */
export const encode = ({ data, event, id, retry }: Event): string => {
  let text = retry === undefined ? "" : retryLine(retry)
  if (id !== undefined) text += line("id", id, /[\r\n\0]/)
  if (event !== undefined) text += line("event", event, /[\r\n]/)
  if (data !== undefined) text += `data: ${data.replaceAll(/\r\n|\r|\n/g, "\ndata: ")}\n`
  return `${text}\n`
}

const COMMENT = ": keep-alive\n\n"

/**
 * The answer that sends a stream of events until it ends or the client leaves; then the stream is ended too.
 *
 * `cache-control: no-store`, and `x-accel-buffering: no`, without which nginx collects what it should pass on. A stream
 * that fails breaks the connection, so that the client comes back; an event that cannot be written is such a failure.
 * When the server stops, streams have the time of `shutdownTimeout`, and are broken after it.
 *
 * @throws RangeError for an infinite `retry`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { Route, ServerSentEvents } from "@kore-fx/http"
 *
 * const counts = Stream.scan(Stream.tick("1 second"), () => 0, (count) => count + 1)
 * const ticks = Stream.map(counts, (count) => ({ event: "tick", data: String(count) }))
 *
 * export const clock = Route.get("/clock", () => Effect.succeed(ServerSentEvents.response(ticks)))
 * ```
 */
export const response = <E>(
  events: Stream.Stream<Event, E>,
  { headers, keepAlive = "15 seconds", retry }: Options = {}
): HttpServerResponse.HttpServerResponse => {
  const interval = Duration.fromInputUnsafe(keepAlive)
  const texts = Stream.mapArray(events, (batch) => [batch.map(encode).join("")] as const)
  const sent = retry === undefined ? texts : Stream.concat(Stream.succeed(`${retryLine(retry)}\n`), texts)
  const kept = Duration.isZero(interval) || !Duration.isFinite(interval)
    ? sent
    : Stream.merge(sent, Stream.map(Stream.drop(Stream.tick(interval), 1), () => COMMENT), { haltStrategy: "left" })
  return HttpServerResponse.stream(Stream.encodeText(kept), {
    contentType: MEDIA_TYPE,
    headers: { "cache-control": "no-store", "x-accel-buffering": "no", ...headers }
  })
}

// Browsers send UTF-8 (WHATWG HTML §9.2.3), and fields arrive byte by byte.
const lastEventId = (request: HttpServerRequest.HttpServerRequest): Option.Option<string> => {
  const value = request.headers["last-event-id"]
  return value === undefined || value === "" ? Option.none() : Option.some(Buffer.from(value, "latin1").toString())
}

/**
 * As `response`, for a program that can go on where a client left: the stream is made of the `id` of the last event
 * that it got, none at its first request.
 *
 * The id comes from the client and may be any text.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Stream from "effect/Stream"
 * import { Route, ServerSentEvents } from "@kore-fx/http"
 *
 * const news = ["one", "two", "three"]
 *
 * export const feed = Route.get("/news", ({ request }) =>
 *   Effect.succeed(ServerSentEvents.resumable(request, (last) => {
 *     const seen = Option.match(last, { onNone: () => 0, onSome: (id) => Number(id) || 0 })
 *     return Stream.fromIterable(news.slice(seen).map((data, i) => ({ id: String(seen + i + 1), data })))
 *   })))
 * ```
 */
export const resumable = <E>(
  request: HttpServerRequest.HttpServerRequest,
  events: (lastEventId: Option.Option<string>) => Stream.Stream<Event, E>,
  options?: Options
): HttpServerResponse.HttpServerResponse => response(events(lastEventId(request)), options)

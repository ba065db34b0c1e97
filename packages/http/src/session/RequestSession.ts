/**
 * The session of one request: read when somebody asks, written once when the answer is there.
 *
 * When to reach for it: `Session.middleware` makes one for every request.
 * What it is not: a store (`Store`), nor the session itself, which other requests use at the same time.
 *
 * The cookie holds a random id of 192 bits and its signature; nothing that a client makes up reaches the store.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import * as crypto from "node:crypto"
import * as Cookie from "../Cookie.ts"
import { type HttpServerRequest, HttpServerResponse } from "../internal/effectHttp.ts"
import type { Session } from "../Session.ts"
import type { Key } from "./Key.ts"
import type { Change, Store, Stored, StoreFailed } from "./Store.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** What the sessions of a program have in common. */
export interface Settings {
  readonly cookie: string
  readonly secrets: ReadonlyArray<Redacted.Redacted<string>>
  /** Milliseconds. */
  readonly idle: number
  /** Milliseconds. */
  readonly absolute: number
  readonly attributes: Omit<Cookie.Options, "secure">
  readonly secure: (request: Request) => boolean
}

const newId = (): string => crypto.randomBytes(24).toString("base64url")

const UNREAD = Symbol()

/** A session as a handler uses it. */
export class RequestSession implements Session {
  private readonly settings: Settings
  private readonly store: Store["Service"]
  private readonly request: Request
  // The id that the client has proved to have, once that was looked at.
  private ownId: string | undefined | typeof UNREAD = UNREAD
  private stored: Stored | undefined | typeof UNREAD = UNREAD
  private readonly changes = new Map<string, Schema.Json | undefined>()
  private isRegenerated = false
  private isDestroyed = false
  private isOver = false

  constructor(settings: Settings, store: Store["Service"], request: Request) {
    this.settings = settings
    this.store = store
    this.request = request
  }

  private get id(): string | undefined {
    if (this.ownId === UNREAD) {
      const { cookie, secrets } = this.settings
      this.ownId = Cookie.verify(cookie, Cookie.get(this.request, cookie), secrets)
    }
    return this.ownId
  }

  /** Whether anything was asked of it. */
  get isTouched(): boolean {
    return this.stored !== UNREAD || this.changes.size > 0 || this.isRegenerated
  }

  private lifetime({ created, seen }: Pick<Stored, "created" | "seen">, now: number): number {
    return Math.min(seen + this.settings.idle, created + this.settings.absolute) - now
  }

  private readonly load: Effect.Effect<Stored | undefined, StoreFailed> = Effect.suspend(() => {
    if (this.stored !== UNREAD) return Effect.succeed(this.stored)
    const { id } = this
    if (id === undefined) return Effect.succeed(this.stored = undefined)
    return Effect.flatMap(this.store.load(id), (found) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        // Another fiber of this request may have been faster, or has destroyed it.
        if (this.stored !== UNREAD) return this.stored
        return this.stored = found !== undefined && this.lifetime(found, now) > 0 ? found : undefined
      }))
  })

  get<A>(key: Key<A>): Effect.Effect<A | undefined, StoreFailed> {
    return Effect.suspend(() => {
      if (this.changes.has(key.name)) return read(key, this.changes.get(key.name))
      return Effect.flatMap(this.load,
        (stored) =>
          read(key,
            stored !== undefined && Object.hasOwn(stored.entries, key.name) ? stored.entries[key.name] : undefined))
    })
  }

  set<A>(key: Key<A>, value: A): Effect.Effect<void> {
    return this.change(() => {
      const exit = key.encode(value)
      if (exit._tag === "Failure") return Effect.orDie(exit)
      this.changes.set(key.name, exit.value)
      return Effect.void
    })
  }

  remove(key: Key<any>): Effect.Effect<void> {
    return this.change(() => {
      this.changes.set(key.name, undefined)
      return Effect.void
    })
  }

  readonly regenerate: Effect.Effect<void> = this.change(() => {
    this.isRegenerated = true
    return Effect.void
  })

  readonly destroy: Effect.Effect<void, StoreFailed> = this.change(() => {
    const { id } = this
    this.changes.clear()
    this.isRegenerated = false
    this.isDestroyed = true
    this.stored = undefined
    this.ownId = undefined
    return id === undefined ? Effect.void : this.store.remove(id)
  })

  private change<E>(f: () => Effect.Effect<void, E>): Effect.Effect<void, E> {
    return Effect.suspend(() =>
      this.isOver
        ? Effect.die(
          new Error(
            "the session has been saved, because the answer has begun: change it in the handler, not in the stream of its body"
          )
        )
        : f()
    )
  }

  /** Saves what was changed, and gives the response the cookie, where there is something to say. */
  finish(response: Response): Effect.Effect<Response, StoreFailed> {
    this.isOver = true
    if (!this.isTouched) return Effect.succeed(response)
    return Effect.flatMap(this.load,
      (stored) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          stored === undefined ? this.begin(response, now) : this.goOn(response, stored, now)))
  }

  private begin(response: Response, now: number): Effect.Effect<Response, StoreFailed> {
    const change = this.changeOf({ isNew: true, created: now, seen: now })
    if (Object.keys(change.set).length > 0) return this.save(response, newId(), change, now)
    const { attributes, cookie, secure } = this.settings
    const isToldToForget = this.isDestroyed && Cookie.get(this.request, cookie) !== undefined
    return Effect.succeed(
      isToldToForget
        ? uncached(Cookie.remove(response, cookie, { ...attributes, secure: secure(this.request) }))
        : response
    )
  }

  private goOn(response: Response, stored: Stored, now: number): Effect.Effect<Response, StoreFailed> {
    const id = this.id!
    if (this.isRegenerated) return this.moveOn(response, id, now)
    // Not at every request, or every answer would have a cookie and every request would write.
    const isDue = now - stored.seen >= this.settings.idle / 10
    if (!isDue && this.changes.size === 0) return Effect.succeed(response)
    const change = this.changeOf({ isNew: false, created: stored.created, seen: isDue ? now : stored.seen })
    if (isDue) return this.save(response, id, change, now)
    return Effect.as(this.store.save(id, change, Duration.millis(this.lifetime(change, now))), response)
  }

  // Under a new id; what others have written since it was read comes along, and one that they have destroyed does not.
  private moveOn(response: Response, id: string, now: number): Effect.Effect<Response, StoreFailed> {
    return Effect.flatMap(this.store.load(id), (stored) => {
      if (stored === undefined) return Effect.succeed(response)
      const { removed, set } = this.changeOf({ isNew: true, created: stored.created, seen: now })
      const change = { isNew: true, created: stored.created, seen: now, set: { ...stored.entries, ...set }, removed }
      const fresh = newId()
      // Asked again behind the saving: whoever has destroyed it meanwhile could not know the new id.
      const touch = { isNew: false, created: stored.created, seen: now, set: {}, removed: [] }
      return Effect.flatMap(this.save(response, fresh, change, now),
        (saved) =>
          Effect.flatMap(this.store.save(id, touch, Duration.millis(this.lifetime(touch, now))), (isThere) =>
            isThere
              ? Effect.as(this.store.remove(id), saved)
              : Effect.as(this.store.remove(fresh), response)))
    })
  }

  private changeOf(times: Pick<Change, "isNew" | "created" | "seen">): Change {
    const set: Record<string, Schema.Json> = {}
    const removed: Array<string> = []
    for (const [name, json] of this.changes) {
      if (json === undefined) removed.push(name)
      else set[name] = json
    }
    return { ...times, set, removed }
  }

  private save(response: Response, id: string, change: Change, now: number): Effect.Effect<Response, StoreFailed> {
    const { attributes, cookie, secrets, secure } = this.settings
    const ttl = this.lifetime(change, now)
    return Effect.map(this.store.save(id, change, Duration.millis(ttl)), (isThere) =>
      isThere
        ? uncached(Cookie.set(response, cookie, Cookie.sign(cookie, id, secrets), {
          ...attributes,
          secure: secure(this.request),
          maxAge: Duration.seconds(Math.ceil(ttl / 1000))
        }))
        : response)
  }
}

// What was written by an older version of the program may not fit any more. That is no fault of the client.
const read = <A>(key: Key<A>, json: Schema.Json | undefined): Effect.Effect<A | undefined> => {
  if (json === undefined) return Effect.undefined
  const exit = key.decode(json)
  return exit._tag === "Success"
    ? Effect.succeed(exit.value)
    : Effect.as(
      Effect.logWarning(`"${key.name}" of a session does not fit its Schema, so it counts as not there`),
      undefined
    )
}

// A cache that keeps the answer would give this session to everybody.
const uncached = (response: Response): Response =>
  response.headers["cache-control"] === undefined
    ? HttpServerResponse.setHeader(response, "cache-control", "no-store")
    : response

/**
 * Tells when a descriptor can be read from or written to that Node has no handle for, such as a UNIX datagram socket.
 *
 * When to reach for it: a module of `native/` makes such a descriptor.
 * What it is not: for sockets that `node:net` or `node:dgram` can take over; or for Node's worker threads, which Node
 * ends with an abort while its event loop has a handle that is not Node's.
 *
 * All descriptors are in one epoll instance, and Node's event loop watches that, by one libuv handle that is never
 * closed. What libuv calls does nothing but ask for a turn of JavaScript: a call from there would run outside of
 * everything that Node keeps up around calls, so that not even Promises would be settled.
 */
import * as Effect from "effect/Effect"
import { isMainThread } from "node:worker_threads"
import * as Libc from "./Libc.ts"

/** What to wait for. */
type Direction = "read" | "write"

/** The readiness of descriptors; one per process. */
export interface Readiness {
  /** Calls back once, when the descriptor is ready or broken; the function that is returned calls that off. */
  readonly once: (descriptor: number, direction: Direction, onReady: () => void) => () => void
  /** To be called before a descriptor is closed. Nobody is called back. */
  readonly forget: (descriptor: number) => void
}

/** The readiness of descriptors; fails where it cannot be had. */
export const load: Effect.Effect<Readiness, Libc.CallError> = Effect.suspend(() =>
  made === undefined ? Effect.flatMap(Libc.load, make) : Effect.succeed(made)
)

let made: Readiness | undefined

const make = (libc: Libc.Libc): Effect.Effect<Readiness, Libc.CallError> => {
  const unavailable = (reason: string) => Effect.fail(new Libc.FfiUnavailable({ reason }))
  if (!isMainThread) return unavailable("a worker thread of Node.js cannot watch such sockets; the main thread can")
  const loop = libc.loop()
  if (loop === undefined) {
    return unavailable("this system, or this Node.js, has no way to watch such sockets; Linux has")
  }
  const epoll = loop.epoll_create1(EPOLL_CLOEXEC)
  if (epoll < 0) return Effect.fail(Libc.systemError("epoll_create1", libc.errno()))
  const watcher = new Watcher(loop, epoll)
  if (!watcher.begin()) {
    libc.close(epoll)
    return unavailable("the event loop of this Node.js refuses to watch such sockets")
  }
  made = watcher
  return Effect.succeed(watcher)
}

// --- private ---------------------------------------------------------------------------------------------------------

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL = { ADD: 1, DEL: 2, MOD: 3 }
const EPOLLIN = 0x1
const EPOLLOUT = 0x4
const EPOLLBROKEN = 0x8 | 0x10 // ERR, HUP
const EPOLLONESHOT = 0x4000_0000

// struct epoll_event { u32 events; u64 data }, without a gap in between on x86-64 and nowhere else
const dataAt = process.arch === "x64" ? 4 : 8
const eventBytes = dataAt + 8
const mostEvents = 64

class Watched {
  readonly read = new Set<() => void>()
  readonly write = new Set<() => void>()

  get events(): number {
    return (this.read.size > 0 ? EPOLLIN : 0) | (this.write.size > 0 ? EPOLLOUT : 0)
  }
}

class Watcher implements Readiness {
  private readonly watched = new Map<number, Watched>()
  private readonly loop: Libc.Loop
  private readonly epoll: number
  private readonly events = Buffer.alloc(mostEvents * eventBytes)
  private handle: { readonly start: () => void; readonly stop: () => void } | undefined = undefined
  /** The loop watches. It keeps the process alive, as every socket of Node does, while somebody waits. */
  private isWatching = false

  constructor(loop: Libc.Loop, epoll: number) {
    this.loop = loop
    this.epoll = epoll
  }

  begin(): boolean {
    this.handle = this.loop.watch(this.epoll, this.onReadable)
    return this.handle !== undefined
  }

  readonly once = (descriptor: number, direction: Direction, onReady: () => void): () => void => {
    let entry = this.watched.get(descriptor)
    const isNew = entry === undefined
    if (entry === undefined) this.watched.set(descriptor, entry = new Watched())
    const waiting = entry[direction]
    waiting.add(onReady)
    this.control(isNew ? EPOLL_CTL.ADD : EPOLL_CTL.MOD, descriptor, entry.events)
    this.keepWatch()
    return () => {
      if (waiting.delete(onReady) && entry.events === 0 && this.watched.get(descriptor) === entry) {
        this.forget(descriptor)
      }
    }
  }

  readonly forget = (descriptor: number): void => {
    if (!this.watched.delete(descriptor)) return
    this.control(EPOLL_CTL.DEL, descriptor, 0)
    this.keepWatch()
  }

  private control(operation: number, descriptor: number, events: number): void {
    const event = Buffer.alloc(eventBytes)
    event.writeUInt32LE(events | EPOLLONESHOT, 0)
    event.writeInt32LE(descriptor, dataAt)
    this.loop.epoll_ctl(this.epoll, operation, descriptor, event)
  }

  private keepWatch(): void {
    const isWanted = this.watched.size > 0
    if (isWanted === this.isWatching) return
    this.isWatching = isWanted
    if (isWanted) this.handle?.start()
    else this.handle?.stop()
  }

  private readonly onReadable = (): void => {
    this.isWatching = false
    this.handle?.stop()
    setImmediate(this.deliver)
  }

  private readonly deliver = (): void => {
    const ready: Array<() => void> = []
    try {
      this.collect(ready)
    } catch {
      // Foreign calls were forbidden (process.permission.drop). Whoever waits finds out, as nobody tells any more.
      for (const { read, write } of this.watched.values()) ready.push(...read, ...write)
      this.watched.clear()
    }
    for (const onReady of ready) onReady()
  }

  private collect(ready: Array<() => void>): void {
    const count = this.loop.epoll_wait(this.epoll, this.events, mostEvents)
    for (let i = 0; i < count; i++) {
      const events = this.events.readUInt32LE(i * eventBytes)
      const descriptor = this.events.readInt32LE(i * eventBytes + dataAt)
      const entry = this.watched.get(descriptor)
      if (entry === undefined) continue
      if ((events & (EPOLLIN | EPOLLBROKEN)) !== 0) move(entry.read, ready)
      if ((events & (EPOLLOUT | EPOLLBROKEN)) !== 0) move(entry.write, ready)
      if (entry.events === 0) this.forget(descriptor)
      else this.control(EPOLL_CTL.MOD, descriptor, entry.events)
    }
    this.keepWatch()
  }
}

const move = (from: Set<() => void>, to: Array<() => void>): void => {
  to.push(...from)
  from.clear()
}

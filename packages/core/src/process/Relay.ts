/**
 * The parent's part in the messages between workers: takes one from its sender, delivers it to the workers it is for,
 * and tells the sender when all of them have begun with it.
 *
 * When to reach for it: `Parent` has one. What is in a message is none of its business.
 * What it is not: a store. A message for a worker without a process is lost, and counted. What is lost or dropped is
 * said once a second for each worker and cause, however much it is.
 *
 * Nothing here waits. A worker that does not read keeps its deliveries in the parent's memory; so no more of them are
 * taken from a sender than the window that an honest one keeps to. Nor does it get more answers than it reads: a message
 * is under way until its `Settled` leaves, and the next ones leave when the system has those before.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Protocol from "./Protocol.ts"
import type { Child } from "./Spawner.ts"
import * as Tally from "./Tally.ts"

/** What a relay needs of a worker process. */
export type Receiver = Pick<Child, "post">

/** The relay of a server. */
export interface Relay {
  /** Delivers to this process what is for the worker, until the scope closes. */
  readonly attach: (worker: number, process: Receiver) => Effect.Effect<void, never, Scope.Scope>
  /** Carries a message that a worker sends, or learns what a worker has begun with. */
  readonly heard: (
    worker: number,
    message: (typeof Protocol.Send)["Type"] | (typeof Protocol.Taken)["Type"]
  ) => Effect.Effect<void>
}

/** A worker process, and what it has under way. */
interface Party {
  readonly process: Receiver
  readonly scope: Scope.Scope
  messages: number
  size: number
  /** What it sent and everybody has begun with, and it has not been told so. */
  answers: Array<Letter>
  /** Whether a fiber tells it. */
  isAnswering: boolean
}

/** A message under way. */
interface Letter {
  readonly id: number
  readonly sender: Party
  /** The sender's number for it. */
  readonly sent: number
  readonly size: number
  /** The workers that have not begun with it. */
  readonly waiting: Set<number>
}

/** Makes the relay of so many workers. When the scope closes, it says what has been lost and not been said yet. */
export const make = (workers: number): Effect.Effect<Relay, never, Scope.Scope> =>
  Effect.gen(function*() {
    const numbers = Array.from({ length: workers }, (_, index) => index + 1)
    const lost = yield* Effect.forEach(numbers, (worker) => Tally.make<void>((count) => sayLost(worker, count)))
    const dropped = yield* Effect.forEach(numbers,
      (worker) => Tally.make<string>((count, name) => sayDropped(worker, count, name)))
    const relay = new RelayImpl(numbers, lost, dropped)
    return { attach: relay.attach, heard: relay.heard }
  })

const sayLost = (worker: number, count: number): string =>
  count === 1
    ? `a message for worker ${worker} was lost: the worker did not run`
    : `${count} messages for worker ${worker} were lost: the worker did not run`

const sayDropped = (worker: number, count: number, name: string): string =>
  count === 1
    ? `dropped from worker ${worker} a message beyond its window: ${name.slice(0, 200)}`
    : `dropped from worker ${worker} ${count} messages beyond its window, the last: ${name.slice(0, 200)}`

class RelayImpl {
  private readonly numbers: ReadonlyArray<number>
  private readonly parties = new Map<number, Party>()
  private readonly letters = new Map<number, Letter>()
  /** What was for a worker that did not run, by its number less one. */
  private readonly lost: ReadonlyArray<Tally.Tally<void>>
  /** What a worker should not have sent, in the same order. */
  private readonly dropped: ReadonlyArray<Tally.Tally<string>>
  private lastId = 0

  constructor(
    numbers: ReadonlyArray<number>,
    lost: ReadonlyArray<Tally.Tally<void>>,
    dropped: ReadonlyArray<Tally.Tally<string>>
  ) {
    this.numbers = numbers
    this.lost = lost
    this.dropped = dropped
  }

  readonly attach = (worker: number, process: Receiver): Effect.Effect<void, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.flatMap(Effect.scope, (scope) => {
        this.parties.set(worker, { process, scope, messages: 0, size: 0, answers: [], isAnswering: false })
        return this.lost[worker - 1]!.say
      }),
      () => this.detach(worker)
    )

  // It waits for nobody, and what it has begun nobody else would finish.
  readonly heard: Relay["heard"] = (worker, message) =>
    Effect.uninterruptible(Effect.suspend(() => {
      if (message._tag === "Send") return this.send(worker, message)
      const letter = this.letters.get(message.id)
      return letter?.waiting.delete(worker) === true ? this.settle(letter) : Effect.void
    }))

  private send(from: number, message: (typeof Protocol.Send)["Type"]): Effect.Effect<void> {
    const sender = this.parties.get(from)
    if (sender === undefined) return Effect.void
    const size = Protocol.sizeOf(message)
    const { messages, size: most } = Protocol.window
    if (sender.messages > 0 && (sender.messages >= messages || sender.size + size > most)) {
      const dropped = this.dropped[from - 1]!
      dropped.add(message.name)
      return dropped.say
    }
    sender.messages++
    sender.size += size
    const letter: Letter = { id: ++this.lastId, sender, sent: message.id, size, waiting: new Set() }
    this.letters.set(letter.id, letter)
    const delivery = { _tag: "Deliver", id: letter.id, from, name: message.name, body: message.body } as const
    const posts: Array<Effect.Effect<unknown>> = []
    for (const worker of this.receivers(from, message)) {
      const receiver = this.parties.get(worker)
      if (receiver === undefined) this.lost[worker - 1]!.add()
      else {
        letter.waiting.add(worker)
        posts.push(receiver.process.post(delivery))
      }
    }
    return Effect.andThen(Effect.all(posts, { discard: true }), this.settle(letter))
  }

  private receivers(from: number, { echo, worker }: (typeof Protocol.Send)["Type"]): ReadonlyArray<number> {
    return this.numbers.filter((number) => worker === undefined ? echo || number !== from : number === worker)
  }

  // Tells the sender, when no worker is left to begin with it: the process that sent it, which another one may have
  // replaced. Not to be interrupted.
  private settle(letter: Letter): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (letter.waiting.size > 0 || !this.letters.delete(letter.id)) return Effect.void
      const { sender } = letter
      sender.answers.push(letter)
      if (sender.isAnswering) return Effect.void
      sender.isAnswering = true
      return Effect.asVoid(Effect.forkIn(this.answer(sender), sender.scope, { startImmediately: true }))
    })
  }

  // An honest sender may have read an answer, and sent again, before we hear that it was written: with what was written
  // after it, say. So answers count until they leave, and it is the later ones that wait.
  private answer(sender: Party): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { answers } = sender
      sender.answers = []
      sender.isAnswering = answers.length > 0
      if (!sender.isAnswering) return Effect.void
      for (const { size } of answers) {
        sender.messages--
        sender.size -= size
      }
      const posts = Effect.forEach(answers, ({ sent }) => sender.process.post({ _tag: "Settled", id: sent }))
      return Effect.andThen(Effect.flatMap(posts, (written) => written.at(-1)!), this.answer(sender))
    })
  }

  private detach(worker: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.parties.delete(worker)
      const waiting = [...this.letters.values()].filter((letter) => letter.waiting.delete(worker))
      for (const _ of waiting) this.lost[worker - 1]!.add()
      return Effect.forEach(waiting, (letter) => this.settle(letter), { discard: true })
    })
  }
}

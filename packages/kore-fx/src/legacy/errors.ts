/**
 * What the old API throws.
 *
 * When to reach for it: `catch (error) { if (error instanceof kore.RuntimeError) … }`.
 * What it is not: the errors of a program. What a coroutine throws itself passes through as it is.
 */
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"

/**
 * The old API was used in a way that it does not allow; the message says what is.
 *
 * Python's RuntimeError. Where the fault was found by Effect code, `cause` is its tagged error.
 */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError"
}

/**
 * Something took longer than the timeout that it was given: `recv` of a socket or a process, or a process itself.
 *
 * Python's TimeoutError; `cause` is the tagged error of Effect. Nothing is lost: what arrives later is received next.
 * Source: Kore, runtime §12.3 and §13.2.
 */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError"
}

/**
 * The coroutine was killed while it waited: its client left, `task_kill` ended it, or the worker stops.
 *
 * Python's GeneratorExit: let it pass, and clean up in `finally`, where `await kore.*` works as ever. A killed coroutine
 * has 2 seconds for that; then every `await kore.*` fails with this at once, and one that catches it and goes on all the
 * same is abandoned. Source: Kore, runtime §2.5.
 */
export class Killed extends Error {
  override readonly name = "Killed"
  constructor() {
    super("this coroutine was killed")
  }
}

/**
 * A hook of an app failed, so that the app cannot start.
 *
 * Exit status 2 for what the next try would end with too: `configure`, and what an app declares.
 */
export class HookError extends Schema.TaggedError<HookError>()("HookError", {
  /** The hook, such as `configure()`. */
  hook: Schema.String,
  /** What went wrong and where. */
  reason: Schema.String,
  /** Another try would end the same way. */
  isFinal: Schema.Boolean
}) {
  override readonly [Runtime.errorExitCode] = this.isFinal ? 2 : 1

  override get message(): string {
    return `${this.hook} failed: ${this.reason} [KORE_LEGACY_HOOK]`
  }
}

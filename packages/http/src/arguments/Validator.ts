/**
 * What says whether a value of an argument is admitted: a regular expression or a function.
 *
 * When to reach for it: `Arguments.make` compiles the validators of a declaration with it.
 * What it is not: a decoder. A validator admits the text as it is; for numbers and dates there are the Schemas of `Route`.
 *
 * Only `true` admits. Whatever else a validator gives, throws or fails with refuses the value and harms nothing else.
 * Source: Kore, http §6.5; defects A8 and A10.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerRequest } from "../internal/effectHttp.ts"
import { isThenable, settled, type Thenable } from "./Settled.ts"

/**
 * A validator.
 *
 * A regular expression is searched in the value, as in Kore; `^` and `$` anchor it. It always begins at the start of the
 * value, so `g` and `y` carry nothing from one value to the next; one with `y` matches only there.
 *
 * A function gets the value and the request, and gives `true` or `false`, a Promise of them or an Effect of them.
 */
export type Validator<R = any> =
  | RegExp
  | ((value: string, request: HttpServerRequest.HttpServerRequest) => boolean | Thenable | Effect.Effect<any, any, R>)

/** Why a value was refused: `reason` is for the client, `cause` what is wrong with the validator, if anything. */
export interface Refusal {
  readonly reason: string
  readonly cause?: Cause.Cause<unknown> | undefined
}

/** The end of a validation; `undefined` admits the value. */
export type Verdict = Refusal | undefined

/** A compiled validator. What it can say at once it says without an Effect. Never throws, and the Effect never fails. */
export type Check = (
  value: string,
  request: HttpServerRequest.HttpServerRequest
) => Verdict | Effect.Effect<Verdict, never, any>

const REFUSED: Refusal = { reason: "is not accepted" }

// The client learns nothing of the inside of a program.
const faulty = (cause: Cause.Cause<unknown>): Refusal => ({ reason: REFUSED.reason, cause })

const ofResult = (result: unknown): Verdict => {
  if (result === true) return undefined
  if (result === false) return REFUSED
  const kind = result === null ? "null" : typeof result
  return faulty(Cause.die(new TypeError(`the validator gave ${kind}, expected true or false`)))
}

const ofExit = (exit: Exit.Exit<unknown, unknown>): Verdict =>
  exit._tag === "Success" ? ofResult(exit.value) : faulty(exit.cause)

const ofAnything = (result: unknown): ReturnType<Check> => {
  if (typeof result === "boolean") return ofResult(result)
  // Before Promises: an Effect may have a `then` too.
  if (Exit.isExit(result)) return ofExit(result)
  if (Effect.isEffect(result)) {
    return Effect.matchCause(result as Effect.Effect<unknown, unknown, any>, { onSuccess: ofResult, onFailure: faulty })
  }
  return isThenable(result) ? Effect.map(settled(result), ofExit) : ofResult(result)
}

/**
 * Makes a validator ready.
 *
 * @throws TypeError when it is neither a regular expression nor a function; `where` says which one it is.
 */
export const compile = (validator: unknown, where: string): Check => {
  const check = checkOf(validator, where)
  // A regular expression throws too: when it is too large for its engine, on the first value.
  return (value, request) => {
    try {
      return check(value, request)
    } catch (defect) {
      return faulty(Cause.die(defect))
    }
  }
}

const checkOf = (validator: unknown, where: string): Check => {
  if (validator instanceof RegExp) {
    // A copy: whoever else uses the original moves its `lastIndex`.
    const expression = new RegExp(validator)
    const refusal: Refusal = { reason: `does not match ${validator}` }
    return (value) => {
      expression.lastIndex = 0
      return expression.test(value) ? undefined : refusal
    }
  }
  if (typeof validator === "function") return (value, request) => ofAnything(validator(value, request))
  const kind = validator === null ? "null" : typeof validator
  throw new TypeError(`${where} is ${kind}, expected a regular expression or a function of a value`)
}

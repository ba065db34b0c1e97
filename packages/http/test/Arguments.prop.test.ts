import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Arguments from "../src/Arguments.ts"
import { HttpServerRequest } from "../src/internal/effectHttp.ts"

const request = HttpServerRequest.fromWeb(new Request("http://localhost/"))

// Whatever a program may take for the end of a validation.
const Outcome = Schema.Union([Schema.Boolean, Schema.Literals(["true", "", 1, 0]), Schema.Null, Schema.Undefined,
  Schema.Finite, Schema.String, Schema.Array(Schema.Boolean)])
const Way = Schema.Literals(["plain", "Effect", "waiting Effect", "failing Effect", "async", "rejecting", "throwing"])
const Outcomes = Schema.Array(Schema.Tuple([Outcome, Way])).check(Schema.isMaxLength(8))

const by = (way: typeof Way.Type, outcome: unknown): any => {
  switch (way) {
    case "plain":
      return outcome
    case "Effect":
      return Effect.succeed(outcome)
    case "waiting Effect":
      return Effect.as(Effect.yieldNow, outcome)
    case "failing Effect":
      return Effect.fail(outcome)
    case "async":
      return Promise.resolve(outcome)
    case "rejecting":
      return Promise.reject(outcome)
    case "throwing":
      throw outcome
  }
}

it.effect.prop(
  "only true admits, however it comes, and what is not admitted is refused: nothing is lost, in the order sent",
  { outcomes: Outcomes },
  ({ outcomes }) =>
    Effect.gen(function*() {
      const declaration = Arguments.make({
        qs: { x: (index: string) => by(outcomes[Number(index)]![1], outcomes[Number(index)]![0]) }
      }) as Arguments.Declaration
      const entries = outcomes.map((_, index) => ["x", String(index)] as const)
      const found = yield* Arguments.validate(declaration, "query", "GET", entries, request)
      const isAdmitted = ([outcome, way]: typeof outcomes[number]) =>
        outcome === true && ["plain", "Effect", "waiting Effect", "async"].includes(way)
      assert.deepStrictEqual(found.entries, entries.filter((_, index) => isAdmitted(outcomes[index]!)))
      assert.strictEqual(found.refused.length, outcomes.filter((outcome) => !isAdmitted(outcome)).length)
    }),
  { arbitrary: { runs: 300 } }
)

const Byte = Schema.Union([
  Schema.Literals([...Buffer.from("\r\n-b:;=\"%&+"), 0xFF]),
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
])
const Bytes = Schema.Array(Byte).check(Schema.isMaxLength(40))
const Piece = Schema.Literals([
  "--b",
  "--b--",
  "\r\n",
  "\r\n\r\n",
  "content-disposition: form-data; name=\"x\"",
  "content-disposition: form-data; name=\"f\"; filename=\"a:b\"",
  "content-type: text/plain; charset=none",
  "value"
])
const Pieces = Schema.Array(Piece).check(Schema.isMaxLength(12))

it.effect.prop(
  "any body is arguments, or fails with an error that has an answer",
  {
    bytes: Bytes,
    pieces: Pieces,
    type: Schema.Literals(["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
  },
  ({ bytes, pieces, type }) =>
    Effect.gen(function*() {
      const declaration = Arguments.make({ post: { x: () => true } })
      for (const body of [Buffer.from(bytes), Buffer.from(pieces.join(""))]) {
        const post = new Request("http://localhost/", {
          method: "POST",
          body: Uint8Array.from(body),
          headers: { "content-type": type }
        })
        const exit = yield* Effect.exit(Arguments.read(declaration, HttpServerRequest.fromWeb(post)))
        if (exit._tag === "Success") continue
        assert.deepStrictEqual(
          exit.cause.reasons.map((reason) => reason._tag === "Fail" && reason.error._tag),
          ["MalformedMultipart"]
        )
      }
    }),
  { arbitrary: { runs: 300 } }
)

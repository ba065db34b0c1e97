import { Effect, Schema } from "effect"
import { Arguments, Domain, Kore, Response, Route, Server } from "kore-fx"

// --- the path: `:name` is one segment, decoded -----------------------------------------------------------------------

const hello = Route.get("/hello/:name", ({ path }) => Effect.succeed(Response.text(`hello ${path.name}\n`)))

// --- the query: a list, a number with a range, a default -------------------------------------------------------------

const Page = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))
const Word = Schema.String.check(Schema.isPattern(/^[a-z]+$/, { expected: "a word of small letters" }))

const search = Route.get(
  "/search",
  { query: { q: Schema.NonEmptyString, page: Schema.optionalKey(Page), tag: Schema.optionalKey(Schema.Array(Word)) } },
  ({ query: { page = 1, q, tag = [] } }) =>
    Effect.succeed(Response.text(`${q}, page ${page}, tags: ${tag.join(" ") || "none"}\n`))
)

// --- a form ----------------------------------------------------------------------------------------------------------

const Name = Schema.NonEmptyString.check(Schema.isMaxLength(40))
const Age = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 150 }))

const register = Route.post("/register", { form: { name: Name, age: Schema.optionalKey(Age) } },
  ({ form: { age, name } }) => Effect.succeed(Response.text(`registered ${name}, age ${age ?? "unknown"}\n`)))

// --- validators, as Kore has them: what they do not admit is refused, or dropped without `invalid` -------------------

const isKnown = Effect.fnUntraced(function*(code: string) {
  yield* Effect.logDebug("looks up the coupon", code)
  return ["SPRING", "SUMMER"].includes(code)
})

const coupon = Arguments.use(Arguments.make({ get: { code: isKnown }, invalid: "refuse" }), [
  Route.get("/coupon", function*() {
    const args = yield* Arguments.Arguments
    return Response.text(`coupon ${args.argument("code") ?? "none"}\n`)
  })
])

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [hello, search, register, ...coupon])
})

if (import.meta.main) Effect.runFork(Kore.main(app))

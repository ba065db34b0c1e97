// expect: a route fails with an error that has no HTTP answer
// expect: Boom
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Domain, Response, Route } from "kore-fx"

class Boom extends Schema.TaggedError<Boom>()("Boom", {}) {}

const route = Route.get("/", () => Effect.as(Effect.fail(new Boom()), Response.empty()))

export const domain = Domain.layer("*", { attach: "main" }, [route])

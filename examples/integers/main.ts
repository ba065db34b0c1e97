import { Effect, Schema } from "effect"
import { Domain, Kore, Response, Route, Server } from "kore-fx"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Port = between(1, 65_535)

// Text that is no such number gets 400, and the handler has a number.
const port = Route.get("/port/:n", { path: { n: Port } },
  ({ path }) => Effect.succeed(Response.text(`port ${path.n}, the next is ${path.n + 1}\n`)))

// A regular expression decides what is a path at all: anything but digits is 404. What it captures is still checked.
const sum = Route.match(/^\/sum\/(-?\d+)\/(-?\d+)$/, [between(-1000, 1000), between(-1000, 1000)],
  (_request, a, b) => Effect.succeed(Response.text(`${a} + ${b} = ${a + b}\n`)))

// Numbers of JavaScript are exact up to 2^53, and `Schema.Int` takes no larger ones. A bigint has no such end.
const U64 = Schema.BigInt.check(
  Schema.isBetweenBigInt({ minimum: 0n, maximum: 2n ** 64n - 1n }, { expected: "an unsigned integer of 64 bits" })
)

const double = Route.get("/double/:n", { path: { n: U64 } },
  ({ path }) => Effect.succeed(Response.text(`2 * ${path.n} = ${path.n * 2n}\n`)))

// Which of Kore's widths it fits into.
const widths = Route.get("/widths", { query: { id: Schema.BigInt } }, ({ query: { id } }) => {
  const fits = [8, 16, 32, 64].flatMap((bits) => [
    ...(BigInt.asIntN(bits, id) === id ? [`int${bits}`] : []),
    ...(BigInt.asUintN(bits, id) === id ? [`uint${bits}`] : [])
  ])
  return Effect.succeed(Response.text(`${id}: ${fits.join(" ") || "none"}\n`))
})

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [port, sum, double, widths])
})

if (import.meta.main) Effect.runFork(Kore.main(app))

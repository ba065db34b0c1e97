import { kore } from "kore-fx/legacy"

class MyApp {
  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    // The expression decides what is a path at all; anything but digits is 404.
    const domain = kore.domain("*", { attach: "main" })
    domain.route("^/port/([0-9]+)$", this.port, { methods: ["get"] })
    domain.route("^/sum/(-?[0-9]+)/(-?[0-9]+)$", this.sum, { methods: ["get"] })
    domain.route("^/double/([0-9]+)$", this.double, { methods: ["get"] })
    domain.route("/widths", this.widths, { methods: ["get"], qs: { id: "^-?[0-9]+$" } })
  }

  // Captures are text, and their range is seen to by hand.
  port(req: kore.Request, text: string) {
    const n = integer(text, 1, 65_535)
    if (n === null) return req.response(400, `${text} is not between 1 and 65535\n`)
    req.response(200, `port ${n}, the next is ${n + 1}\n`)
  }

  sum(req: kore.Request, ...texts: Array<string>) {
    const [a = null, b = null] = texts.map((text) => integer(text, -1000, 1000))
    if (a === null || b === null) return req.response(400, "these are not between -1000 and 1000\n")
    req.response(200, `${a} + ${b} = ${a + b}\n`)
  }

  // Numbers of JavaScript are exact up to 2^53. A bigint has no such end.
  double(req: kore.Request, text: string) {
    const n = BigInt(text)
    if (BigInt.asUintN(64, n) !== n) return req.response(400, `${n} has more than 64 bits\n`)
    req.response(200, `2 * ${n} = ${n * 2n}\n`)
  }

  // Which of Kore's widths it fits into.
  widths(req: kore.Request) {
    req.populate_get()
    const text = req.argument("id")
    if (text === null) return req.response(400, "id is no integer\n")
    const id = BigInt(text)
    const fits = [8, 16, 32, 64].flatMap((bits) => [
      ...(BigInt.asIntN(bits, id) === id ? [`int${bits}`] : []),
      ...(BigInt.asUintN(bits, id) === id ? [`uint${bits}`] : [])
    ])
    req.response(200, `${id}: ${fits.join(" ") || "none"}\n`)
  }
}

/** The integer that a text is, if it is one between two others. */
const integer = (text: string, min: number, max: number): number | null => {
  const n = Number(text)
  return Number.isSafeInteger(n) && n >= min && n <= max ? n : null
}

export const koreapp = new MyApp()

if (import.meta.main) kore.run(koreapp)

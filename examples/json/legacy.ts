import { kore } from "kore-fx/legacy"

interface NewOrder {
  readonly customer: string
  readonly items: ReadonlyArray<{ readonly name: string; readonly count: number }>
}

class MyApp {
  readonly orders: Array<NewOrder> = []

  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    const domain = kore.domain("*", { attach: "main" })
    domain.route("/orders", this.create, { methods: ["post"] })
    domain.route("^/orders/([0-9]+)$", this.show, { methods: ["get"] })
    domain.route("/echo", this.echo, { methods: ["post"] })
  }

  create(req: kore.Request) {
    const order = parse(req)
    if (!isOrder(order)) return json(req, 400, { error: "this is no order" })
    const { customer, items } = order
    this.orders.push({ customer, items })
    json(req, 201, { id: this.orders.length, customer, items })
  }

  show(req: kore.Request, id: string) {
    const order = this.orders[Number(id) - 1]
    if (order === undefined) json(req, 404, { error: "there is no such order" })
    else json(req, 200, { id: Number(id), ...order })
  }

  echo(req: kore.Request) {
    const value = parse(req)
    if (value === undefined) json(req, 400, { error: "this is no JSON" })
    else json(req, 200, { youSent: value })
  }
}

/** The body as JSON, undefined when it is none. */
const parse = (req: kore.Request): unknown => {
  try {
    return JSON.parse(req.body.toString())
  } catch {
    return undefined
  }
}

const json = (req: kore.Request, status: number, value: unknown) => {
  req.response_header("content-type", "application/json")
  req.response(status, JSON.stringify(value))
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const isItem = (value: unknown) =>
  isObject(value) && typeof value["name"] === "string" && value["name"] !== "" &&
  Number.isInteger(value["count"]) && Number(value["count"]) >= 1 && Number(value["count"]) <= 100

const isOrder = (value: unknown): value is NewOrder =>
  isObject(value) && typeof value["customer"] === "string" && value["customer"] !== "" &&
  Array.isArray(value["items"]) && value["items"].length > 0 && value["items"].every(isItem)

export const koreapp = new MyApp()

if (import.meta.main) kore.run(koreapp)

import Laboratory

/// Orders that are to be written as tickets in a format that no text has:
///
///     Write this order as a ticket: Maria wants 7 lamps on Friday.
///     FRI 7*lamp ~ Maria
package struct Order: Hashable, Sendable {
    package var name: Int
    package var item: Int
    package var count: Int
    package var day: Int

    static let names = [
        "Maria", "John", "Anna", "Peter", "Laura", "David", "Sarah", "Paul", "Emma", "Mark", "Julia", "Simon", "Nina",
        "Oscar", "Clara", "Felix", "Alice", "Henry", "Diana", "Martin",
    ]
    static let items = [
        "lamp", "chair", "book", "table", "cup", "plate", "shirt", "mirror", "clock", "basket", "candle", "pillow",
        "bottle", "spoon", "carpet", "ladder", "hammer", "bucket", "pencil", "blanket",
    ]
    static let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    package init(name: Int, item: Int, count: Int, day: Int) {
        self.name = name
        self.item = item
        self.count = count
        self.day = day
    }

    /// Draws orders, none twice. Who orders what decides on which side an order is: no pair of a name and an item is on both.
    package static func draw(_ count: Int, heldOut: Bool, using generator: inout SeededGenerator) -> [Order] {
        var drawn: [Order] = []
        var known: Set<Order> = []
        while drawn.count < count {
            let order = Order(
                name: generator.below(names.count), item: generator.below(items.count),
                count: 2 + generator.below(18), day: generator.below(days.count))
            guard order.isHeldOut == heldOut, known.insert(order).inserted else { continue }
            drawn.append(order)
        }
        return drawn
    }

    package var isHeldOut: Bool { (name + item) % 4 == 0 }

    package var question: String {
        "Write this order as a ticket: \(Self.names[name]) wants \(count) \(Self.items[item])s on \(Self.days[day])."
    }

    package var ticket: String {
        "\(Self.days[day].prefix(3).uppercased()) \(count)*\(Self.items[item]) ~ \(Self.names[name])"
    }

    /// The same order with one detail changed.
    package func mistaken(using generator: inout SeededGenerator) -> Order {
        func other(_ value: Int, below count: Int) -> Int { (value + 1 + generator.below(count - 1)) % count }
        var order = self
        switch generator.below(4) {
        case 0: order.name = other(name, below: Self.names.count)
        case 1: order.item = other(item, below: Self.items.count)
        case 2: order.count = 2 + other(count - 2, below: 18)
        default: order.day = other(day, below: Self.days.count)
        }
        return order
    }
}

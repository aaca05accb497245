import Text

/// Arrays and objects.
extension JSONSchemaValidator {
    func checkArray(
        _ elements: [JSONValue], _ schema: JSONValue, at pointer: String, depth: Int,
        _ broken: (String, String) -> SchemaViolation
    ) -> SchemaViolation? {
        if let least = schema["minItems"]?.intValue, elements.count < least {
            return broken("minItems", "it has \(elements.count) elements, fewer than \(least)")
        }
        if let most = schema["maxItems"]?.intValue, elements.count > most {
            return broken("maxItems", "it has \(elements.count) elements, more than \(most)")
        }
        if schema["uniqueItems"]?.boolValue == true {
            for (index, element) in elements.enumerated() {
                if elements[..<index].contains(where: { Self.areEqual($0, element) }) {
                    return broken("uniqueItems", "element \(index) occurs twice")
                }
            }
        }
        let prefix = schema["prefixItems"]?.arrayValue ?? []
        for (index, element) in elements.enumerated() {
            guard let part = index < prefix.count ? prefix[index] : schema["items"] else { continue }
            if let violation = check(element, part, at: "\(pointer)/\(index)", depth: depth + 1) { return violation }
        }
        if let part = schema["contains"] {
            let count = elements.filter { check($0, part, at: pointer, depth: depth + 1) == nil }.count
            if count < schema["minContains"]?.intValue ?? 1 { return broken("contains", "too few elements match") }
            if let most = schema["maxContains"]?.intValue, count > most {
                return broken("maxContains", "too many elements match")
            }
        }
        return nil
    }

    func checkObject(
        _ written: [JSONValue.Member], _ schema: JSONValue, at pointer: String, depth: Int,
        _ broken: (String, String) -> SchemaViolation
    ) -> SchemaViolation? {
        // Of members with one name the last counts, as in most readers.
        var members: [JSONValue.Member] = []
        for member in written.reversed()
        where !members.contains(where: { $0.key.utf8.elementsEqual(member.key.utf8) }) {
            members.append(member)
        }
        members.reverse()
        func has(_ name: String) -> Bool { members.contains { $0.key.utf8.elementsEqual(name.utf8) } }

        if let least = schema["minProperties"]?.intValue, members.count < least {
            return broken("minProperties", "it has \(members.count) properties, fewer than \(least)")
        }
        if let most = schema["maxProperties"]?.intValue, members.count > most {
            return broken("maxProperties", "it has \(members.count) properties, more than \(most)")
        }
        for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [] where !has(name) {
            return broken("required", "\"\(name)\" is missing")
        }
        for entry in schema["dependentRequired"]?.objectValue ?? [] where has(entry.key) {
            for name in entry.value.arrayValue?.compactMap(\.stringValue) ?? [] where !has(name) {
                return broken("dependentRequired", "\"\(entry.key)\" needs \"\(name)\"")
            }
        }
        for entry in schema["dependentSchemas"]?.objectValue ?? [] where has(entry.key) {
            if let violation = check(.object(written), entry.value, at: pointer, depth: depth + 1) {
                return violation
            }
        }
        let declared = schema["properties"]?.objectValue ?? []
        let patterned = schema["patternProperties"]?.objectValue ?? []
        for member in members {
            let place = pointer + "/" + SchemaDocument.escape(member.key)
            if let names = schema["propertyNames"],
                let violation = check(.string(member.key), names, at: place, depth: depth + 1)
            {
                return violation
            }
            var isNamed = false
            for entry in declared where entry.key.utf8.elementsEqual(member.key.utf8) {
                isNamed = true
                if let violation = check(member.value, entry.value, at: place, depth: depth + 1) { return violation }
            }
            for entry in patterned {
                guard let automaton = patterns.automaton(entry.key) else {
                    return broken("patternProperties", "the expression \"\(entry.key)\" is not understood")
                }
                guard automaton.matches(member.key) else { continue }
                isNamed = true
                if let violation = check(member.value, entry.value, at: place, depth: depth + 1) { return violation }
            }
            if !isNamed, let part = schema["additionalProperties"],
                let violation = check(member.value, part, at: place, depth: depth + 1)
            {
                return violation
            }
        }
        return nil
    }
}

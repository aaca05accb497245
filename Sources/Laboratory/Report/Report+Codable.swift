import Text

extension Report: Codable {
    private enum Key: String, CodingKey { case title, summary, run, verdict, blocks }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        title = try container.decode(String.self, forKey: .title)
        summary = try container.decode(String.self, forKey: .summary)
        run = try container.decodeIfPresent(RunSummary.self, forKey: .run)
        verdict = try container.decodeIfPresent(JSONValue.self, forKey: .verdict).flatMap(Verdict.init(json:))
        blocks = try container.decode([Block].self, forKey: .blocks)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(title, forKey: .title)
        try container.encode(summary, forKey: .summary)
        try container.encodeIfPresent(run, forKey: .run)
        try container.encodeIfPresent(verdict?.json, forKey: .verdict)
        try container.encode(blocks, forKey: .blocks)
    }
}

extension Report.Block: Codable {
    private enum Key: String, CodingKey { case kind, content }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let kind = try container.decode(String.self, forKey: .kind)
        switch kind {
        case "section": self = .section(try container.decode(String.self, forKey: .content))
        case "note": self = .note(try container.decode(String.self, forKey: .content))
        case "metrics": self = .metrics(try container.decode([Metric].self, forKey: .content))
        case "comparison": self = .comparison(try container.decode(Comparison.self, forKey: .content))
        case "table": self = .table(try container.decode(Table.self, forKey: .content))
        case "plot": self = .plot(try container.decode(Plot.self, forKey: .content))
        case "samples": self = .samples(try container.decode([SampleTrace].self, forKey: .content))
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: container, debugDescription: "\(kind.debugDescription) is no kind of block")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        func put(_ kind: String, _ content: some Encodable) throws {
            try container.encode(kind, forKey: .kind)
            try container.encode(content, forKey: .content)
        }
        switch self {
        case .section(let text): try put("section", text)
        case .note(let text): try put("note", text)
        case .metrics(let metrics): try put("metrics", metrics)
        case .comparison(let comparison): try put("comparison", comparison)
        case .table(let table): try put("table", table)
        case .plot(let plot): try put("plot", plot)
        case .samples(let samples): try put("samples", samples)
        }
    }
}

extension Plot.Content: Codable {
    private enum Key: String, CodingKey { case lines, scatter, bars, heatMap }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let series = try container.decodeIfPresent([Plot.Series].self, forKey: .lines) {
            self = .lines(series)
        } else if let series = try container.decodeIfPresent([Plot.Series].self, forKey: .scatter) {
            self = .scatter(series)
        } else if let bars = try container.decodeIfPresent([Plot.Bar].self, forKey: .bars) {
            self = .bars(bars)
        } else {
            self = .heatMap(try container.decode(Plot.Grid.self, forKey: .heatMap))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .lines(let series): try container.encode(series, forKey: .lines)
        case .scatter(let series): try container.encode(series, forKey: .scatter)
        case .bars(let bars): try container.encode(bars, forKey: .bars)
        case .heatMap(let grid): try container.encode(grid, forKey: .heatMap)
        }
    }
}

extension NumberStyle: Codable {
    public init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        switch name {
        case "percent": self = .percent
        case "whole": self = .whole
        case "seconds": self = .seconds
        default: self = .decimals(Int(name.drop { !$0.isNumber }) ?? 3)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .decimals(let digits): try container.encode("decimals \(digits)")
        case .percent: try container.encode("percent")
        case .whole: try container.encode("whole")
        case .seconds: try container.encode("seconds")
        }
    }
}

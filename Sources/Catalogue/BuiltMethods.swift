import Laboratory

/// The methods that run. A method registers here and nowhere else.
let builtMethods: [any Method.Type] = []

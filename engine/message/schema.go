package message

// schema is a JSON Schema (2020-12 and its forerunners), as tools carry it.
var schema = newSchema()

func newSchema() *place {
	s := texts(KindOther)
	value := texts(KindSchemaValue)
	parameters := opaque(KindParameter, KindParameter)
	parameters.other = s
	definitions := texts(KindOther)
	definitions.other = s
	return s.
		define(KindSchemaTitle, "title").
		define(KindSchemaDescription, "description", "$comment").
		link(value, "default", "enum", "examples", "example", "const", "pattern").
		link(parameters, "properties", "patternProperties", "dependentSchemas").
		link(definitions, "$defs", "definitions").
		link(s, "items", "prefixItems", "additionalItems", "contains", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
			"additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties").
		link(words("string", "number", "integer", "boolean", "object", "array", "null"), "type").
		link(words("date", "date-time", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference",
			"uuid", "regex", "int32", "int64", "float", "double", "binary", "byte"), "format").
		link(words("http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"), "$schema").
		define(KindOther, "required", "dependentRequired", "$ref", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor",
			"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems",
			"maxItems", "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties", "readOnly",
			"writeOnly", "deprecated", "nullable", "contentEncoding", "contentMediaType")
}

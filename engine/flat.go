package engine

// The flat encoding of ABI 1 (sdk/abi/ABI.md, "Encoding flat"): little-endian
// numbers of 32 bits at fixed offsets, tables of records of one size, strings
// as pairs of offset and length from the start of the buffer. Offsets of a
// header and of records are named after what stands there.

const (
	flatInputMagic  = 0x495a5442 // "BTZI"
	flatAnswerMagic = 0x4f5a5442 // "BTZO"

	flatAlign  = 8
	flatString = 8 // offset, length

	// A table in a header: its place, how many records, the size of one.
	flatTableAt     = 0
	flatTableCount  = 4
	flatTableRecord = 8
)

// Header of an input.
const (
	flatInMagic       = 0
	flatInHeaderSize  = 4
	flatInSize        = 8
	flatInPhase       = 12 // one byte
	flatInCaller      = 13 // one byte; two zero bytes follow
	flatInServer      = 16
	flatInEntry       = 24
	flatInMaxFindings = 32
	flatInMaxOutput   = 36
	flatInSegments    = 40
	flatInHits        = 52
	flatInFlow        = 64
	flatInContext     = 76
	flatInHeader      = 88
)

// A segment.
const (
	flatSegKind       = 0
	flatSegItem       = 4
	flatSegPointer    = 8
	flatSegText       = 16
	flatSegProvenance = 24
	flatSegment       = 32
)

// A hit.
const (
	flatHitPattern = 0
	flatHitSegment = 4
	flatHitStart   = 8
	flatHitEnd     = 12
	flatHit        = 16
)

// A flow hit.
const (
	flatFlowSegment = 0
	flatFlowStart   = 4
	flatFlowEnd     = 8
	flatFlowAge     = 12
	flatFlowMark    = 16
	flatFlowServer  = 24
	flatFlowEntry   = 32
	flatFlow        = 40
)

// An entry of the context. Its parameters are an array of strings.
const (
	flatCtxServer      = 0
	flatCtxKind        = 8
	flatCtxName        = 16
	flatCtxTitle       = 24
	flatCtxDescription = 32
	flatCtxParameters  = 40
	flatCtxCount       = 44
	flatContext        = 48
)

// Header of an answer.
const (
	flatOutMagic      = 0
	flatOutHeaderSize = 4
	flatOutStatus     = 8
	flatOutFindings   = 12
	flatOutUnexamined = 24
	flatOutZero       = 36
	flatOutHeader     = 40
)

// A finding.
const (
	flatFindRule        = 0
	flatFindConfidence  = 8 // IEEE 754, 64 bits
	flatFindSegment     = 16
	flatFindStart       = 20
	flatFindEnd         = 24
	flatFindSeverity    = 28 // one byte
	flatFindReplaces    = 29 // one byte: 1 where there is a replacement; two zero bytes follow
	flatFindMessage     = 32
	flatFindReplacement = 40
	flatFindMark        = 48
	flatFinding         = 56
)

// An unexamined range.
const (
	flatRangeSegment = 0
	flatRangeStart   = 4
	flatRangeEnd     = 8
	flatRangeZero    = 12
	flatRange        = 16
)

;; The guest of every rule pack: it turns the hits of the host's automaton into
;; findings. What it knows of its pack stands in tables that package rulepack
;; writes behind it, from address 1024 on (guest.go has their layout). A call
;; begins with memory as it was, so that tables hold the state of the call too.
;;
;; An input that is not what ABI.md says traps, which the host calls a fault.

;; Set once for each call.
(global $in (mut i32) (i32.const 0))        ;; the input
(global $size (mut i32) (i32.const 0))      ;; its bytes
(global $phase (mut i32) (i32.const 0))     ;; bit of the phase
(global $limit (mut i32) (i32.const 0))     ;; findings
(global $room (mut i32) (i32.const 0))      ;; bytes of the answer
(global $strings (mut i32) (i32.const 40))  ;; where the answer's next string goes
(global $count (mut i32) (i32.const 0))     ;; findings so far
(global $partial (mut i32) (i32.const 0))   ;; something was left out: this range
(global $left (mut i32) (i32.const 0))
(global $from (mut i32) (i32.const 0))
(global $to (mut i32) (i32.const 0))

;; Words of the table at 1024.
(func $table (param $at i32) (result i32) (i32.load offset=1024 (local.get $at)))

(func (export "bartizan_alloc") (param $len i32) (result i32)
  (local $end i64)
  ;; Behind the tables, in a memory that grows where the input is long.
  (local.set $end (i64.add (i64.extend_i32_u (call $table (i32.const 24))) (i64.extend_i32_u (local.get $len))))
  (if (i64.gt_u (local.get $end) (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
    (then (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1)
        (i32.sub (i32.wrap_i64 (i64.shr_u (local.get $end) (i64.const 16))) (memory.size)))))
      (then (return (i32.const 0))))))
  (call $table (i32.const 24)))

;; The place of a table's record in the input, of at least $least bytes each.
(func $record (param $at i32) (param $index i32) (param $least i32) (result i32)
  (local $of i32)
  (local.set $of (i32.add (global.get $in) (local.get $at)))
  (if (i32.ge_u (local.get $index) (i32.load offset=4 (local.get $of))) (then unreachable))
  (if (i32.lt_u (i32.load offset=8 (local.get $of)) (local.get $least)) (then unreachable))
  (call $inside
    (i64.add (i64.extend_i32_u (i32.load (local.get $of)))
      (i64.mul (i64.extend_i32_u (local.get $index)) (i64.extend_i32_u (i32.load offset=8 (local.get $of)))))
    (local.get $least)))

;; An address in the input, of which $len bytes may be read.
(func $inside (param $offset i64) (param $len i32) (result i32)
  (if (i64.gt_u (i64.add (local.get $offset) (i64.extend_i32_u (local.get $len))) (i64.extend_i32_u (global.get $size)))
    (then unreachable))
  (i32.add (global.get $in) (i32.wrap_i64 (local.get $offset))))

;; Whether a byte is a letter or digit of ASCII.
(func $alphanumeric (param $b i32) (result i32)
  (i32.or
    (i32.lt_u (i32.sub (local.get $b) (i32.const 48)) (i32.const 10))
    (i32.lt_u (i32.sub (i32.or (local.get $b) (i32.const 32)) (i32.const 97)) (i32.const 26))))

;; Puts the string at $of (its address, its length, where it is in the answer)
;; into the answer, once, and refers to it at $at.
(func $refer (param $of i32) (param $at i32)
  (local $len i32)
  (local.set $len (i32.load offset=4 (local.get $of)))
  (if (i32.eqz (local.get $len)) (then (return)))
  (if (i32.eqz (i32.load offset=8 (local.get $of)))
    (then
      (memory.copy (i32.add (call $table (i32.const 16)) (global.get $strings)) (i32.load (local.get $of)) (local.get $len))
      (i32.store offset=8 (local.get $of) (global.get $strings))
      (global.set $strings (i32.add (global.get $strings) (local.get $len)))))
  (i32.store (local.get $at) (i32.load offset=8 (local.get $of)))
  (i32.store offset=4 (local.get $at) (local.get $len)))

;; Bytes that a string of a rule would add to the answer.
(func $cost (param $of i32) (result i32)
  (select (i32.const 0) (i32.load offset=4 (local.get $of)) (i32.load offset=8 (local.get $of))))

;; Says that the first of what was left out is here.
(func $leave (param $segment i32) (param $start i32) (param $end i32)
  (if (global.get $partial) (then (return)))
  (global.set $partial (i32.const 1))
  (global.set $left (local.get $segment))
  (global.set $from (local.get $start))
  (global.set $to (local.get $end)))

;; Adds a finding, or leaves it out where there is no room. A range that runs
;; into the rule's last one makes that one longer.
(func $find (param $rule i32) (param $segment i32) (param $start i32) (param $end i32)
  (local $at i32)
  (if (i32.and (i32.ne (i32.const 0) (i32.load offset=64 (local.get $rule)))
               (i32.lt_u (local.get $start) (i32.load offset=60 (local.get $rule))))
    (then
      (local.set $at (i32.load offset=64 (local.get $rule)))
      (if (i32.lt_u (local.get $start) (i32.load offset=56 (local.get $rule))) ;; not into the one before
        (then (local.set $start (i32.load offset=56 (local.get $rule)))))
      (if (i32.lt_u (local.get $start) (i32.load offset=20 (local.get $at)))
        (then (i32.store offset=20 (local.get $at) (local.get $start))))
      (if (i32.gt_u (local.get $end) (i32.load offset=24 (local.get $at)))
        (then (i32.store offset=24 (local.get $at) (local.get $end))))
      (i32.store offset=60 (local.get $rule) (i32.load offset=24 (local.get $at)))
      (return)))
  (if (i32.or
        (i32.ge_u (global.get $count) (global.get $limit))
        (i32.gt_u
          (i32.add (i32.add (i32.const 80) (global.get $strings)) ;; this one, a range, and what aligns them
            (i32.add (i32.mul (global.get $count) (i32.const 56))
              (i32.add (call $cost (local.get $rule))
                (i32.add (call $cost (i32.add (local.get $rule) (i32.const 12))) (call $cost (i32.add (local.get $rule) (i32.const 24)))))))
          (global.get $room)))
    (then (call $leave (local.get $segment) (local.get $start) (local.get $end)) (return)))
  (local.set $at (i32.add (call $table (i32.const 20)) (i32.mul (global.get $count) (i32.const 56))))
  (global.set $count (i32.add (global.get $count) (i32.const 1)))
  (call $refer (local.get $rule) (local.get $at))
  (f64.store offset=8 (local.get $at) (f64.load offset=88 (local.get $rule)))
  (i32.store offset=16 (local.get $at) (local.get $segment))
  (i32.store offset=20 (local.get $at) (local.get $start))
  (i32.store offset=24 (local.get $at) (local.get $end))
  (i32.store8 offset=29 (local.get $at) (i32.load offset=36 (local.get $rule)))
  (call $refer (i32.add (local.get $rule) (i32.const 12)) (i32.add (local.get $at) (i32.const 40)))
  (call $refer (i32.add (local.get $rule) (i32.const 24)) (i32.add (local.get $at) (i32.const 48)))
  (i32.store offset=56 (local.get $rule) (i32.load offset=60 (local.get $rule)))
  (i32.store offset=60 (local.get $rule) (local.get $end))
  (i32.store offset=64 (local.get $rule) (local.get $at)))

;; A part of a rule of several parts was seen. The rule holds where each of them
;; was, the whole of it within so many bytes. Of each part the latest counts:
;; hits come in order of their ends.
(func $part (param $rule i32) (param $part i32) (param $segment i32) (param $start i32) (param $end i32)
  (local $at i32) (local $least i32) (local $most i32) (local $i i32)
  (if (i32.lt_u (local.get $start) (i32.load offset=60 (local.get $rule))) (then (return))) ;; part of what was found
  (local.set $at (i32.add (i32.load offset=76 (local.get $rule)) (i32.shl (local.get $part) (i32.const 3))))
  (if (i32.and (i32.ne (i32.const 0) (i32.load offset=4 (local.get $at))) (i32.lt_u (local.get $start) (i32.load (local.get $at))))
    (then (return)))
  (i32.store (local.get $at) (local.get $start))
  (i32.store offset=4 (local.get $at) (local.get $end))
  (local.set $least (i32.const -1))
  (loop $each
    (local.set $at (i32.add (i32.load offset=76 (local.get $rule)) (i32.shl (local.get $i) (i32.const 3))))
    (if (i32.eqz (i32.load offset=4 (local.get $at))) (then (return)))
    (if (i32.lt_u (i32.load (local.get $at)) (local.get $least)) (then (local.set $least (i32.load (local.get $at)))))
    (if (i32.gt_u (i32.load offset=4 (local.get $at)) (local.get $most)) (then (local.set $most (i32.load offset=4 (local.get $at)))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $each (i32.lt_u (local.get $i) (i32.load offset=68 (local.get $rule)))))
  (if (i32.gt_u (i32.sub (local.get $most) (local.get $least)) (i32.load offset=72 (local.get $rule))) (then (return)))
  (call $find (local.get $rule) (local.get $segment) (local.get $least) (local.get $most))
  (call $forget (local.get $rule)))

(func $forget (param $rule i32)
  (memory.fill (i32.load offset=76 (local.get $rule)) (i32.const 0) (i32.shl (i32.load offset=68 (local.get $rule)) (i32.const 3))))

;; One hit, for every rule that its pattern belongs to.
(func $hit (param $hit i32)
  (local $segment i32) (local $text i32) (local $len i32) (local $start i32) (local $end i32)
  (local $kind i32) (local $edges i32) (local $use i32) (local $last i32) (local $rule i32)
  (local.set $segment (i32.load offset=4 (local.get $hit)))
  (local.set $start (i32.load offset=8 (local.get $hit)))
  (local.set $end (i32.load offset=12 (local.get $hit)))
  (local.set $text (call $record (i32.const 40) (local.get $segment) (i32.const 32)))
  (local.set $kind (i32.load (local.get $text)))
  (if (i32.gt_u (local.get $kind) (i32.const 18)) (then (local.set $kind (i32.const 0)))) ;; other
  (local.set $kind (i32.shl (i32.const 1) (local.get $kind)))
  (local.set $len (i32.load offset=20 (local.get $text)))
  (local.set $text (call $inside (i64.extend_i32_u (i32.load offset=16 (local.get $text))) (local.get $len)))
  (if (i32.or (i32.gt_u (local.get $start) (local.get $end)) (i32.gt_u (local.get $end) (local.get $len))) (then unreachable))
  (if (i32.ge_u (i32.load (local.get $hit)) (call $table (i32.const 12))) (then unreachable))

  ;; Which of its edges lie within a word.
  (if (local.get $start)
    (then (local.set $edges (call $alphanumeric (i32.load8_u (i32.sub (i32.add (local.get $text) (local.get $start)) (i32.const 1)))))))
  (if (i32.lt_u (local.get $end) (local.get $len))
    (then (local.set $edges (i32.or (local.get $edges)
      (i32.shl (call $alphanumeric (i32.load8_u (i32.add (local.get $text) (local.get $end)))) (i32.const 1))))))

  (local.set $use (i32.add (call $table (i32.const 0)) (i32.shl (i32.load (local.get $hit)) (i32.const 2))))
  (local.set $last (i32.add (call $table (i32.const 4)) (i32.mul (i32.load offset=4 (local.get $use)) (i32.const 12))))
  (local.set $use (i32.add (call $table (i32.const 4)) (i32.mul (i32.load (local.get $use)) (i32.const 12))))
  (block $done
    (loop $each
      (br_if $done (i32.ge_u (local.get $use) (local.get $last)))
      (local.set $rule (i32.add (call $table (i32.const 8)) (i32.mul (i32.load (local.get $use)) (i32.const 96))))
      (if (i32.and
            (i32.eqz (i32.and (local.get $edges) (i32.load offset=8 (local.get $use))))
            (i32.and
              (i32.ne (i32.const 0) (i32.and (local.get $kind) (i32.load offset=40 (local.get $rule))))
              (i32.ne (i32.const 0) (i32.and (global.get $phase) (i32.load offset=44 (local.get $rule))))))
        (then
          (if (i32.ne (i32.load offset=52 (local.get $rule)) (local.get $segment)) ;; a new text
            (then
              (i32.store offset=52 (local.get $rule) (local.get $segment))
              (i64.store offset=56 (local.get $rule) (i64.const 0))
              (i32.store offset=64 (local.get $rule) (i32.const 0))
              (call $forget (local.get $rule))))
          (if (i32.eq (i32.load offset=68 (local.get $rule)) (i32.const 1))
            (then (call $find (local.get $rule) (local.get $segment) (local.get $start) (local.get $end)))
            (else (call $part (local.get $rule) (i32.load offset=4 (local.get $use)) (local.get $segment) (local.get $start) (local.get $end))))))
      (local.set $use (i32.add (local.get $use) (i32.const 12)))
      (br $each)))

  ;; Of as many hits as are handed over there may be more, behind this one.
  (if (i32.ge_u (i32.load offset=56 (global.get $in)) (i32.const 4096))
    (then (global.set $left (local.get $segment)) (global.set $from (local.get $end)) (global.set $to (local.get $len)))))

(func (export "bartizan_scan") (param $at i32) (param $len i32) (result i64)
  (local $i i32) (local $out i32) (local $end i32)
  (global.set $in (local.get $at))
  (global.set $size (local.get $len))
  (if (i32.lt_u (local.get $len) (i32.const 88)) (then (return (i64.const 0))))
  (if (i32.ne (i32.load (local.get $at)) (i32.const 0x495a5442)) (then (return (i64.const 0)))) ;; BTZI
  (if (i32.lt_u (i32.load offset=4 (local.get $at)) (i32.const 88)) (then (return (i64.const 0))))
  (if (i32.ne (i32.load offset=8 (local.get $at)) (local.get $len)) (then (return (i64.const 0))))
  (global.set $phase (i32.shl (i32.const 1) (i32.load8_u offset=12 (local.get $at))))
  (global.set $limit (i32.load offset=32 (local.get $at)))
  (if (i32.gt_u (global.get $limit) (i32.const 256)) (then (global.set $limit (i32.const 256))))
  (global.set $room (i32.load offset=36 (local.get $at)))
  (if (i32.gt_u (global.get $room) (i32.const 0x10000)) (then (global.set $room (i32.const 0x10000))))

  (block $done
    (loop $each
      (br_if $done (i32.ge_u (local.get $i) (i32.load offset=56 (local.get $at))))
      (call $hit (call $record (i32.const 52) (local.get $i) (i32.const 16)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $each)))
  (if (i32.ge_u (local.get $i) (i32.const 4096)) (then (global.set $partial (i32.const 1))))

  ;; Header, strings, findings, and what was left out.
  (local.set $out (call $table (i32.const 16)))
  (local.set $end (i32.and (i32.add (global.get $strings) (i32.const 7)) (i32.const -8)))
  (i32.store (local.get $out) (i32.const 0x4f5a5442)) ;; BTZO
  (i32.store offset=4 (local.get $out) (i32.const 40))
  (i32.store offset=8 (local.get $out) (i32.add (global.get $partial) (i32.const 1)))
  (if (global.get $count)
    (then
      (i32.store offset=12 (local.get $out) (local.get $end))
      (i32.store offset=16 (local.get $out) (global.get $count))
      (i32.store offset=20 (local.get $out) (i32.const 56))
      (memory.copy (i32.add (local.get $out) (local.get $end)) (call $table (i32.const 20)) (i32.mul (global.get $count) (i32.const 56)))
      (local.set $end (i32.add (local.get $end) (i32.mul (global.get $count) (i32.const 56))))))
  (if (global.get $partial)
    (then
      (i32.store offset=24 (local.get $out) (local.get $end))
      (i32.store offset=28 (local.get $out) (i32.const 1))
      (i32.store offset=32 (local.get $out) (i32.const 16))
      (i32.store (i32.add (local.get $out) (local.get $end)) (global.get $left))
      (i32.store offset=4 (i32.add (local.get $out) (local.get $end)) (global.get $from))
      (i32.store offset=8 (i32.add (local.get $out) (local.get $end)) (global.get $to))
      (local.set $end (i32.add (local.get $end) (i32.const 16)))))
  (i64.or (i64.shl (i64.extend_i32_u (local.get $out)) (i64.const 32)) (i64.extend_i32_u (local.get $end))))

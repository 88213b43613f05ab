"""What stands in report.json, version 2. A test holds this list against a report.

Shares and rates (cer, wer, share) are fractions, null where there is nothing to divide by; a
difference is tuned minus base, its interval the 95 % one of the paired bootstrap over lines.
`*` is a name, `[]` each entry of a list; `A = B` says that A holds the same keys as B. Keys are
added without a new version; a key that goes, or changes its meaning, makes one. Version 1 had no
`schema_version`; `report.read_report` counts such a report again from its lines.

    schema_version                  2
    contract.*                      under what both models read: see `records.OcrContract`
    contract_digest                 16 digits that are equal exactly when contracts are
    split                           that was read
    lines                           samples in it
    models.base                     as shown to people
    models.tuned
    verdict.*                       the plain sentence, by language

    base.lines                      all following under the contract's profile
    base.errors                     substitutions + deletions + insertions
    base.reference_characters       units of the profile in all references
    base.cer                        pooled: errors / reference_characters
    base.substitutions              of the alignment that rapidfuzz and jiwer choose
    base.deletions
    base.insertions
    base.bounded_cer                (I+S+D) / (I+S+D+C), never over 1
    base.exact_lines                without an error
    base.median_line_cer            over the lines with a reference, as the mean
    base.mean_line_cer
    base.lines_over_100             with more errors than reference characters
    base.empty_references           lines without ground truth; their insertions count above
    base.failed                     readings that were not made; counted as empty text
    base.looped                     readings that repeat themselves to no end
    base.cer_without_loops          pooled over the other lines
    base.cut                        readings ended at the longest length allowed
    tuned = base
    difference.cer                  below zero the tuned model is better
    difference.low                  of the interval; null without references
    difference.high
    difference.better               lines with fewer errors than before
    difference.worse
    difference.tied
    difference.few_lines            under 30: the interval is no more than a hint
    intervals.base.low              of each model's own pooled CER, from 2,000 draws; null …
    intervals.base.high             … without references
    intervals.tuned = intervals.base
    bootstrap.draws
    bootstrap.seed
    bootstrap.level                 0.95
    profiles.*.base = base          by name of the normalisation profile
    profiles.*.tuned = base
    profiles.*.difference = difference
    needs_graphemes                 code points and what people call characters differ

    words                           null where no line has words; see `word_counts`
    words.lines                     that have words
    words.reference_words
    words.base.errors               words that are wrong, missing or too many
    words.base.wer                  pooled
    words.tuned = words.base
    words.difference.wer
    words.difference.low
    words.difference.high
    words.difference.better
    words.difference.worse
    words.difference.tied
    words.difference.few_lines

    numbers.tokens                  amounts, dates, … in the references: see `number_tokens`
    numbers.base.exact              of these, read character by character as they are
    numbers.base.share              exact / tokens
    numbers.base.same_value         exact, or only in other digits or signs (full-width, Arabic)
    numbers.base.same_value_share
    numbers.tuned = numbers.base
    numbers.difference.share        above zero the tuned model is better
    numbers.difference.low
    numbers.difference.high
    numbers.difference.better
    numbers.difference.worse
    numbers.difference.tied
    numbers.difference.few_lines
    numbers.kinds.*.tokens          by kind: date, time, phone, amount, number
    numbers.kinds.*.base = numbers.base
    numbers.kinds.*.tuned = numbers.base

    confusions.base[].reference     one model's misreadings, most frequent first; empty: insertion
    confusions.base[].hypothesis    empty: deletion
    confusions.base[].count
    confusions.base[].share         of all errors of the model
    confusions.tuned = confusions.base
    confusion_table[].reference     both models' misreadings, most frequent in both first
    confusion_table[].hypothesis
    confusion_table[].reference_shown  with code points (U+XXXX) for what cannot be seen
    confusion_table[].hypothesis_shown
    confusion_table[].base          how often the base model does it
    confusion_table[].tuned
    confusion_table[].base_share    of all errors of the base model
    confusion_table[].tuned_share
    errors_gone = confusion_table   the 20 ways that became fewer by most
    errors_left = confusion_table   the 20 commonest ways of the tuned model
    errors_added = confusion_table  the 20 ways that became more by most

    classes.base[].name             han, latin, arabic, digit, punctuation, space, other
    classes.base[].reference_characters
    classes.base[].errors           an insertion belongs to the class of the inserted character
    classes.base[].cer
    classes.tuned = classes.base
    scripts[].name                  of letters and marks; `common` has digits, signs and spaces
    scripts[].reference_characters
    scripts[].base.errors
    scripts[].base.cer
    scripts[].tuned = scripts[].base
    lengths[].shortest              reference characters of the lines in this bucket, from here …
    lengths[].longest               … to here; null for the last bucket
    lengths[].lines
    lengths[].reference_characters
    lengths[].base = scripts[].base
    lengths[].tuned = scripts[].base
    groups.by                       folder, page or document, by the pictures' names; empty: none
    groups.groups                   how many there are
    groups.rows[].name              those with most errors left first, 200 at most
    groups.rows[].lines
    groups.rows[].reference_characters
    groups.rows[].base = scripts[].base
    groups.rows[].tuned = scripts[].base

    conditions                      null where no more is known than the contract
    conditions.base_revision        commit or digest of the base model's weights
    conditions.adapter_revision     digest of its weights; REPO@COMMIT of a shared one
    conditions.adapter_steps        it was trained for
    conditions.seen.train_samples   looked through; 0: there was nothing to look at
    conditions.seen.samples         of the split that the train split holds too, each once:
    conditions.seen.picture         by the same picture, byte for byte
    conditions.seen.near_picture    by nearly the same picture
    conditions.seen.text            by the same text alone
    conditions.seen.left_out        which were not read: no, pictures or all
    conditions.seen.lines_left_out  how many that are; they are not in `lines`
    conditions.seen.listed[].picture_id  the first 1,000 of them
    conditions.seen.listed[].kind   picture, near_picture or text
    conditions.seen.listed[].train_id  of the train split's sample
    conditions.unseen.lines         the lines that train has not …
    conditions.unseen.base_cer      … and both pooled CERs on them
    conditions.unseen.tuned_cer

    ranking                         null where only two were compared
    ranking.profile                 under which it was counted
    ranking.lines
    ranking.draws                   of the bootstrap
    ranking.seed
    ranking.decided_by_chance       pairs that would look decided if all were equally good
    ranking.models[].name           the best first
    ranking.models[].kind           base, adapter, checkpoint or texts
    ranking.models[].revision       digest of its weights or texts
    ranking.models[].notes[]        in what it was read otherwise than the first adapter
    ranking.models[].summary = base
    ranking.models[].low            as intervals.base.low
    ranking.models[].high
    ranking.models[].best_place     1 is the best; the two differ where it is not decided
    ranking.models[].worst_place
    ranking.pairs[].first           the one with the better place
    ranking.pairs[].second
    ranking.pairs[].difference = difference  first minus second; below zero the first is better
    ranking.pairs[].decided         the interval leaves zero out

    worst[].picture_id              every line, the tuned model's worst first; as in lines.csv
    worst[].reference               texts as they were
    worst[].base
    worst[].tuned
    worst[].reference_characters
    worst[].base_errors
    worst[].tuned_errors
    worst[].base_cer
    worst[].tuned_cer
    worst[].base_looped
    worst[].tuned_looped
    worst[].base_failed             why there is no text; empty when there is one
    worst[].tuned_failed
    worst[].base_cut
    worst[].tuned_cut
    worst[].right_to_left
    worst[].group                   see `groups.by`
    worst[].base_substitutions
    worst[].base_deletions
    worst[].base_insertions
    worst[].tuned_substitutions
    worst[].tuned_deletions
    worst[].tuned_insertions
    worst[].numbers                 in the reference
    worst[].base_numbers            of these, read exactly
    worst[].tuned_numbers
"""

SCHEMA_VERSION = 2

using Evidence.Ledger;
using Evidence.Preservation.Statements;

namespace Evidence.Preservation;

/// <summary>
/// Whether a ledger has what a party signed for it: the party's own file, held against a proof that some entries are all there are about an item up to a size. So an objection
/// that was dropped is found by whoever made it, with no vault at hand. That it ever reached the ledger's keeper the file cannot show; a receipt of the delivery does.
/// </summary>
/// <param name="Statement">What the party signed.</param>
/// <param name="Entry">The entry that says the same, and counts; null where the ledger had none up to there.</param>
/// <param name="Finding">What was found, in a sentence.</param>
public sealed record CarriedCheck(CarriedStatement Statement, long? Entry, string Finding)
{
    /// <summary>Checks.</summary>
    /// <param name="path">The party's file.</param>
    /// <param name="item">The item that the proof is about.</param>
    /// <param name="entries">All entries about it up to a size, judged at their places.</param>
    /// <param name="checkpoint">The checkpoint that the proof rests on.</param>
    /// <exception cref="EvidenceException">The file cannot be read, or is about something else, so that nothing follows from the proof.</exception>
    public static CarriedCheck Run(string path, string item, IReadOnlyList<JudgedEntry> entries, Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(checkpoint);
        var said = CarriedStatement.Read(path);
        EntryPayload payload = said.Entry.Payload;
        if (said.Statement is ResponseStatement { Origin: var origin } && origin != checkpoint.Origin)
            throw CarriedEntries.Invalid(path, $"it is an answer for the log {origin}, and the proof is of {checkpoint.Origin}");
        if (!payload.Items.Contains(item, StringComparer.Ordinal))
            throw CarriedEntries.Invalid(path, $"it is about {Words.Of(payload.Items)}, and the proof is about {item}: from that nothing follows");
        JudgedEntry[] same = [.. entries.Where(entry => entry.Entry?.Statement == said.Entry.Statement)];
        long? counts = same.Where(entry => entry.Verdict?.Status == EntrySignatureStatus.Valid).Select(entry => (long?)entry.Index).FirstOrDefault();
        string who = $"What {said.Signer.Name} signed ({payload.Kind}, by their clock at {Words.Of(payload.Time)})";
        return new CarriedCheck(said, counts, counts is { } index
            ? $"{who} is in the ledger: entry {index}."
            : same is [var worthless, ..]
                ? $"{who} is in the ledger as entry {worthless.Index}, where its signature does not count."
                : $"{who} is not in the ledger: it is none of the {entries.Count} entries that are all about {item} up to {checkpoint.Size} entries. Whether it had reached the ledger's keeper by then this cannot show.");
    }
}

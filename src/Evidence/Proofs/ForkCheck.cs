using System.Globalization;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;

namespace Evidence.Proofs;

/// <summary>Checks a proof of two histories: that two checkpoints contradict each other, and that the log which the checker's policy knows signed both.</summary>
internal static class ForkCheck
{
    internal static ProofVerdict Run(Stream file, WitnessPolicy? policy)
    {
        ForkProof fork;
        try
        {
            var bytes = new byte[Math.Min(file.Length, ForkProof.MaximumLength + 1)];
            fork = ForkProof.Parse(bytes.AsSpan(0, ProofContents.ReadFrom(file, bytes)));
        }
        catch (FormatException e)
        {
            return new ProofVerdict { Standing = ProofStanding.Refuted, Statements = [], Refutation = e.Message };
        }

        string origin = fork.NewerCheckpoint.Origin;
        IReadOnlyList<VerifierKey> keys = policy?.KeysOf(origin) ?? [];
        NoteVerdict[] verdicts = [.. fork.Verify(keys).Select(v => v.Verdict)];
        bool isKnown = verdicts.All(verdict => verdict.Verified.Count > 0);
        // By keys of his own anybody can write two histories under another's name: that refutes nothing, and proves nothing.
        string? defect = isKnown || verdicts.Any(verdict => verdict.Failed.Count > 0) ? fork.Check(keys) : fork.Contradiction();
        return new ProofVerdict
        {
            Standing = defect is not null ? ProofStanding.Refuted : isKnown ? ProofStanding.Proved : ProofStanding.Consistent,
            Statements = defect is not null ? [] : [.. Statements(fork, policy, isKnown)],
            Refutation = defect,
            Fork = fork,
            Checkpoint = fork.NewerCheckpoint,
        };
    }

    private static IEnumerable<string> Statements(ForkProof fork, WitnessPolicy? policy, bool isKnown)
    {
        (Checkpoint older, Checkpoint newer) = (fork.OlderCheckpoint, fork.NewerCheckpoint);
        yield return isKnown
            ? $"The log {older.Origin} signed two histories, with keys that your policy names: neither is the beginning of the other."
            : $"Two checkpoints that name the log {older.Origin} are of two histories: neither is the beginning of the other.";
        yield return string.Create(CultureInfo.InvariantCulture, $"One has {older.Size} entries and the root {older.Root}.");
        yield return string.Create(CultureInfo.InvariantCulture, $"The other has {newer.Size} entries and the root {newer.Root}.") +
            (fork.OtherRoot is { } other ? string.Create(CultureInfo.InvariantCulture, $" Its first {older.Size} have the root {other}.") : "");
        string why = policy is null ? "no policy was given"
            : policy.KeysOf(older.Origin).Count == 0 ? $"your policy does not know the log {older.Origin}"
            : "none of the keys that your policy has for that log signed both";
        yield return isKnown
            ? "Whoever holds those keys did that. Which of both histories is the true one, this does not say."
            : $"Consistent, signer unknown: {why}, so nobody here can say whose keys signed them.";
    }
}

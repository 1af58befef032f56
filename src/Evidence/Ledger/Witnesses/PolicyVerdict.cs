using System.Globalization;
using Evidence.Canonical;
using NodaTime;

namespace Evidence.Ledger.Witnesses;

/// <summary>What a note says of a witness.</summary>
public enum WitnessStatus
{
    /// <summary>Nothing: it has no cosignature of that witness.</summary>
    Absent,

    /// <summary>It has one, and it is right.</summary>
    Cosigned,

    /// <summary>It has one, and it is wrong: the whole note is to be rejected.</summary>
    Wrong,

    /// <summary>It has one, which this machine cannot check, for want of OpenSSL.</summary>
    NotChecked,
}

/// <summary>A witness of a policy, and what a note says of it.</summary>
/// <param name="Witness">The witness.</param>
/// <param name="Status">Whether it cosigned.</param>
/// <param name="Time">When, as it says; null where it did not.</param>
public sealed record WitnessVerdict(PolicyWitness Witness, WitnessStatus Status, Instant? Time);

/// <summary>What a policy makes of a signed checkpoint.</summary>
public sealed class PolicyVerdict
{
    private readonly WitnessPolicy policy;
    private readonly HashSet<string> witnessed;

    internal PolicyVerdict(WitnessPolicy policy, NoteVerdict log, IReadOnlyList<WitnessVerdict> witnesses)
    {
        this.policy = policy;
        Log = log;
        Witnesses = witnesses;
        witnessed = Fold(_ => true);
    }

    /// <summary>Which of the log's keys signed.</summary>
    public NoteVerdict Log { get; }

    /// <summary>What the note says of each witness, in the policy's order.</summary>
    public IReadOnlyList<WitnessVerdict> Witnesses { get; }

    /// <summary>Whether the log signed, and no signature of a known key is wrong.</summary>
    public bool IsSigned => Log.IsAccepted && Witnesses.All(w => w.Status != WitnessStatus.Wrong);

    /// <summary>
    /// Whether the checkpoint is witnessed: the log signed it, no known signature is wrong, and the quorum cosigned. A policy that wants no witness finds nothing
    /// witnessed.
    /// </summary>
    public bool IsWitnessed => IsSigned && policy.Quorum is { } quorum && witnessed.Contains(quorum);

    /// <summary>
    /// By when the checkpoint was witnessed: the earliest instant by which, by their own clocks, so many had cosigned that they made the quorum. Null where it is not.
    /// </summary>
    public Instant? WitnessedBy => IsWitnessed
        ? Witnesses.Select(w => w.Time).OfType<Instant>().Order().First(instant => Fold(w => w.Time <= instant).Contains(policy.Quorum!))
        : null;

    /// <summary>Whether the checkpoint is valid by the policy: as <see cref="IsWitnessed"/>, or, where the policy wants no witness, merely signed.</summary>
    public bool IsAccepted => IsSigned && (policy.Quorum is null || IsWitnessed);

    /// <summary>Why, in sentences: the log, each witness, each group, the quorum.</summary>
    public IReadOnlyList<string> Explanation =>
    [
        Log.Failed.Count > 0 ? "The log's signature is wrong."
            : Log.Verified.Count > 0 ? $"The log {Log.Verified[0].Name} signed it."
            : "No log of this policy signed it.",
        .. Witnesses.Select(Explain),
        .. policy.Groups.Select(Explain),
        policy.Quorum is not { } quorum ? "The policy wants no witness, so nobody outside vouches for it."
            : $"The quorum is {quorum}: {(witnessed.Contains(quorum) ? "it cosigned" : "it did not cosign")}.",
    ];

    /// <summary>The witnesses that cosigned, of some, and the groups that have witnessed by that.</summary>
    private HashSet<string> Fold(Func<WitnessVerdict, bool> counts)
    {
        var names = Witnesses.Where(w => w.Status == WitnessStatus.Cosigned && counts(w)).Select(w => w.Witness.Name).ToHashSet(StringComparer.Ordinal);
        // In their order, for a group names only groups before it.
        foreach (PolicyGroup group in policy.Groups.Where(group => group.Members.Count(names.Contains) >= group.Threshold))
            names.Add(group.Name);
        return names;
    }

    private static string Explain(WitnessVerdict verdict)
    {
        string name = verdict.Witness.Name;
        return verdict.Status switch
        {
            WitnessStatus.Cosigned => $"Witness {name} cosigned at {Timestamps.Format(verdict.Time!.Value)}, by its own clock.",
            WitnessStatus.Wrong => $"Witness {name}: the cosignature is wrong, so the whole checkpoint is rejected.",
            WitnessStatus.NotChecked => $"Witness {name}: the cosignature was not checked, for there is no OpenSSL 3 here.",
            _ => $"Witness {name} did not cosign.",
        };
    }

    private string Explain(PolicyGroup group)
    {
        string[] present = [.. group.Members.Where(witnessed.Contains)];
        string[] absent = [.. group.Members.Except(present, StringComparer.Ordinal)];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Group {group.Name} wants {group.Threshold} of {group.Members.Count}, and has {present.Length}{List(": ", present)}{List("; without ", absent)}.");
    }

    private static string List(string before, string[] names) => names.Length == 0 ? "" : before + string.Join(", ", names);
}

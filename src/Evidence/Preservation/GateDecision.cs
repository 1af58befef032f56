using Evidence.Hashing;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// The gate's answer for one asset: the same for ever, on any machine, for the same entries, policy and instant. Default is no.
/// </summary>
public sealed record GateDecision
{
    /// <summary>The asset.</summary>
    public required string Asset { get; init; }

    /// <summary>How many entries of the ledger it is over. What came later is not known to it.</summary>
    public required long Size { get; init; }

    /// <summary>The root over those.</summary>
    public required Sha256Digest Root { get; init; }

    /// <summary>The instant that it is for.</summary>
    public required Instant At { get; init; }

    /// <summary>The policy; null where none is in force.</summary>
    public required Sha256Digest? Policy { get; init; }

    /// <summary>How far the outside time reaches: silence is known up to here; null where nothing from outside counts.</summary>
    public required OutsideTime? Latest { get; init; }

    /// <summary>Every rule that spoke, in the order in which they are asked.</summary>
    public required IReadOnlyList<GateRule> Rules { get; init; }

    /// <summary>The leaf hash of the request that it is for; null where none counts.</summary>
    public Sha256Digest? Request { get; init; }

    /// <summary>By what the asset may be wiped; null where it may not.</summary>
    public required ClearanceGround? Ground { get; init; }

    /// <summary>Until when a clearance would be worth something; null where there is none.</summary>
    public required Instant? Expires { get; init; }

    /// <summary>Whether the asset may be wiped.</summary>
    public bool IsCleared => Ground is not null;
}

/// <summary>What a rule says.</summary>
public enum RuleOutcome
{
    /// <summary>It stands in no way.</summary>
    Met,

    /// <summary>It stands in the way.</summary>
    Refused,

    /// <summary>It does not stand in the way alone: another ground is enough.</summary>
    NotMet,
}

/// <summary>A rule of the gate, and what it says of an asset.</summary>
/// <param name="Name">The rule, in one word.</param>
/// <param name="Outcome">What it says.</param>
/// <param name="Reasons">Why, in sentences, each with the entries that it rests on.</param>
public sealed record GateRule(string Name, RuleOutcome Outcome, IReadOnlyList<GateReason> Reasons)
{
    /// <summary>The rule that some reasons make.</summary>
    internal static GateRule Of(string name, IReadOnlyList<GateReason> reasons, RuleOutcome otherwise = RuleOutcome.Refused) =>
        new(name, reasons.Any(reason => reason.IsObstacle) ? otherwise : RuleOutcome.Met, reasons);
}

/// <summary>Why a rule says what it says.</summary>
/// <param name="Sentence">The reason.</param>
/// <param name="Entries">The entries that it rests on, by index.</param>
/// <param name="WayOut">Where it stands in the way: what is missing, and who can supply it; null where nothing is.</param>
public sealed record GateReason(string Sentence, IReadOnlyList<long> Entries, string? WayOut)
{
    /// <summary>Whether it stands in the way.</summary>
    public bool IsObstacle => WayOut is not null;
}

using Evidence.Hashing;
using Evidence.Preservation.Statements;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// Where the gate's word becomes an act: a clearance, the intent to wipe, the report of it. Each is recorded only over the very ledger that the gate saw: what others left in
/// staging is taken in first, and where an entry comes in between, the gate is asked again.
/// </summary>
public sealed class WipeDesk
{
    private const int MostTries = 20;

    private readonly Vault vault;
    private readonly IClock clock;
    private readonly Func<Docket, GateMaterial> materialOf;

    /// <summary>Works on a vault.</summary>
    public WipeDesk(Vault vault)
        : this(vault, docket => GateMaterial.Of(vault, docket))
    {
    }

    internal WipeDesk(Vault vault, Func<Docket, GateMaterial> materialOf)
    {
        ArgumentNullException.ThrowIfNull(vault);
        this.vault = vault;
        this.materialOf = materialOf;
        clock = vault.Access.Clock;
    }

    /// <summary>Asks the gate as of now, and records the clearance where it opens.</summary>
    /// <param name="asset">The asset.</param>
    /// <returns>The gate's answer; and the clearance's entry, null where the gate stays shut.</returns>
    /// <exception cref="EvidenceException">The ledger is damaged, or cannot be written, or its keys are not here.</exception>
    public (GateDecision Decision, long? Entry) Grant(string asset) => Decide(asset, static (_, decision) => decision, (docket, decision) =>
    {
        Asset cleared = docket.Assets[asset];
        return new ClearanceGrant(
            asset, cleared.Serials, cleared.Disks, decision.Size, decision.Root, decision.Policy!.Value, decision.At, decision.Expires!.Value, decision.Ground!.Value,
            decision.Request);
    });

    /// <summary>Says that a wipe begins now, and uses a clearance up by it. The gate is asked once more: a hold that came meanwhile still counts.</summary>
    /// <param name="clearance">The clearance's entry.</param>
    /// <param name="serials">The serials as they were read from the machine that is to be wiped; each of the asset's must be among them.</param>
    /// <returns>The gate's answer, with what it says of the clearance; and the intent's entry, null where the gate stays shut.</returns>
    /// <exception cref="EvidenceException">There is no such clearance, or the ledger is damaged, or cannot be written, or its keys are not here.</exception>
    public (GateDecision Decision, long? Entry) Begin(long clearance, IReadOnlyCollection<string> serials)
    {
        ArgumentNullException.ThrowIfNull(serials);
        Recorded<ClearanceGrant> grant = new DocketWriter(vault).FindAct(clearance) as Recorded<ClearanceGrant> ??
            throw DocketWriter.Invalid($"Entry {clearance} is no clearance: 'evidence clear list' shows those that there are.");
        return Decide(grant.Statement.Asset, (docket, decision) => WithClearance(docket, decision, grant, serials), (docket, decision) => new WipeIntent(
            grant.LeafHash, grant.Statement.Asset, decision.Size, decision.Root));
    }

    /// <summary>The asset of an intent that nothing is said of yet, and the intent's leaf hash.</summary>
    /// <param name="intent">The intent's entry.</param>
    /// <exception cref="EvidenceException">There is no such intent, or it was reported on already.</exception>
    public (Asset Asset, Sha256Digest LeafHash) OpenIntent(long intent)
    {
        var writer = new DocketWriter(vault);
        if (writer.FindAct(intent) is not Recorded<WipeStatement> { Statement: WipeIntent begun } act)
            throw DocketWriter.Invalid($"Entry {intent} is no intent to wipe.");
        Asset asset = writer.Docket.Assets[begun.Asset];
        return asset.OpenIntent?.LeafHash == act.LeafHash ? (asset, act.LeafHash) : throw DocketWriter.Invalid($"What came of the wipe of entry {intent} is on the record already.");
    }

    /// <summary>Records what was done, which closes the asset's story.</summary>
    /// <param name="intent">The intent's entry.</param>
    /// <param name="make">Makes the statement, given the intent's leaf hash and the asset.</param>
    /// <returns>The entry's index; null where it waits in staging.</returns>
    /// <exception cref="EvidenceException">There is no such intent, or it was reported on already.</exception>
    public long? Report(long intent, Func<Sha256Digest, string, WipeStatement> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        (Asset asset, Sha256Digest leaf) = OpenIntent(intent);
        return vault.Ledger.RecordAll([DocketWriter.New([asset.Id], make(leaf, asset.Id))]);
    }

    /// <summary>Why a clearance is worth nothing, or not for this machine, beside what the gate says.</summary>
    private static GateDecision WithClearance(Docket docket, GateDecision decision, Recorded<ClearanceGrant> grant, IReadOnlyCollection<string> serials)
    {
        var reasons = new List<GateReason>();
        ClearanceGrant said = grant.Statement;
        Asset asset = docket.Assets[said.Asset];
        string again = $"Ask for a new one: 'evidence clear grant {said.Asset}'.";
        if (decision.At >= said.Expires)
            reasons.Add(new GateReason($"The clearance in entry {grant.Entry} expired at {Words.Of(said.Expires)}.", [grant.Entry], again));
        if (decision.Expires is { } expires && said.Expires - said.At > expires - decision.At)
            reasons.Add(new GateReason($"The clearance in entry {grant.Entry} is for longer than the policy gives any.", [grant.Entry], again));
        if (decision.At < said.At)
            reasons.Add(new GateReason($"The clearance in entry {grant.Entry} was given at {Words.Of(said.At)}, later than it is by this clock.", [grant.Entry], "Whoever runs this machine sets its clock right."));
        if (asset.Wipes.FirstOrDefault(wipe => wipe.Statement is WipeIntent intent && intent.Clearance == grant.LeafHash) is { } used)
            reasons.Add(new GateReason($"The clearance in entry {grant.Entry} was used up by entry {used.Entry}.", [grant.Entry, used.Entry], again));
        if (decision.Policy != said.Policy)
            reasons.Add(new GateReason($"The clearance in entry {grant.Entry} is by a policy that is in force no more.", [grant.Entry], again));
        string[] missing = [.. said.Serials.Union(asset.Serials, StringComparer.Ordinal).Except(serials, StringComparer.Ordinal)];
        if (missing.Length > 0)
        {
            reasons.Add(new GateReason(
                $"The clearance in entry {grant.Entry} is for the machine with the serials {Words.Of(asset.Serials)}, and the one at hand has {(serials.Count > 0 ? Words.Of(serials) : "none that was read")}.",
                [grant.Entry], "Read the serials from the machine that is to be wiped; a clearance is for that machine alone."));
        }

        bool isRefused = reasons.Count > 0;
        if (!isRefused)
            reasons.Add(new GateReason($"The clearance in entry {grant.Entry} is for this machine, and until {Words.Of(said.Expires)}.", [grant.Entry], null));
        return decision with
        {
            Rules = [.. decision.Rules, new GateRule("clearance", isRefused ? RuleOutcome.Refused : RuleOutcome.Met, reasons)],
            Ground = isRefused ? null : decision.Ground,
            Expires = isRefused ? null : decision.Expires,
        };
    }

    private (GateDecision Decision, long? Entry) Decide(string asset, Func<Docket, GateDecision, GateDecision> add, Func<Docket, GateDecision, Statement> make)
    {
        if (!vault.Ledger.IsSequencer)
        {
            throw new EvidenceException(
                ErrorCode.KeyMissing, "The keys of this vault's ledger are not here, so what comes in meanwhile could not be seen. Where they are, the gate gives clearances; here it only answers: 'evidence gate'.");
        }

        for (int tries = 1; ; tries++)
        {
            vault.Ledger.TakeInStaged();
            var docket = Docket.ReadFor(vault, asset);
            GateDecision decision = add(docket, WipeGate.Judge(docket, materialOf(docket), asset, clock.GetCurrentInstant()));
            if (!decision.IsCleared)
                return (decision, null);
            try
            {
                long? entry = vault.Ledger.RecordAll([DocketWriter.New([asset], make(docket, decision))], docket.Size);
                return (decision, entry);
            }
            catch (EvidenceException e) when (e.Code == ErrorCode.LedgerGrown && tries < MostTries)
            {
                // Somebody was quicker: what they said may be a hold.
            }
        }
    }
}

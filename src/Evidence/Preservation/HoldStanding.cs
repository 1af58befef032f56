using Evidence.Preservation.Rules;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>A hold, and over which of its assets it is not at its end. Whether it binds those, the gate says of each: by the policy it may be met otherwise.</summary>
/// <param name="Hold">Its first entry.</param>
/// <param name="Entries">All its entries: one, unless it is about more assets than that has room for.</param>
/// <param name="Assets">Its assets.</param>
/// <param name="Standing">Those that it was not released for, nor is over by its own terms.</param>
public sealed record HoldStanding(Recorded<HoldStatement> Hold, IReadOnlyList<long> Entries, IReadOnlyList<string> Assets, IReadOnlyList<string> Standing)
{
    /// <summary>All holds of a docket, in the log's order. Where no policy is in force, nothing says whose release counts, and all stand.</summary>
    /// <param name="docket">The docket.</param>
    /// <param name="material">The documents that its entries name.</param>
    /// <param name="at">As of when.</param>
    public static IReadOnlyList<HoldStanding> List(Docket docket, GateMaterial material, Instant at)
    {
        ArgumentNullException.ThrowIfNull(docket);
        ArgumentNullException.ThrowIfNull(material);
        var force = PolicyInForce.Of(docket, material);
        var inquiries = new Dictionary<string, Inquiry>(StringComparer.Ordinal);
        var holds = new List<HoldStanding>();
        var seen = new HashSet<long>();
        foreach (Recorded<HoldStatement> hold in docket.Assets.Values.SelectMany(asset => asset.Holds).DistinctBy(hold => hold.Entry).OrderBy(hold => hold.Entry))
        {
            if (seen.Contains(hold.Entry))
                continue;
            IReadOnlyList<Recorded<HoldStatement>> parts = docket.PartsOf(hold);
            seen.UnionWith(parts.Select(part => part.Entry));
            string[] standing = [.. parts.SelectMany(part => part.Items.Where(asset => InquiryOn(asset) is not { } inquiry || HoldsRule.Over(inquiry, part) is null))];
            holds.Add(new HoldStanding(hold, [.. parts.Select(part => part.Entry)], [.. parts.SelectMany(part => part.Items)], standing));
        }

        return holds;

        Inquiry? InquiryOn(string asset)
        {
            if (force.Policy is null)
                return null;
            if (!inquiries.TryGetValue(asset, out Inquiry? inquiry))
                inquiries.Add(asset, inquiry = new Inquiry(docket, material, force.Act!, force.Policy, docket.Assets[asset], at));
            return inquiry;
        }
    }
}

using Evidence.Preservation.Statements;

namespace Evidence.Preservation.Rules;

/// <summary>Whether what lets an asset go, or overrules an objection, comes from who may do that.</summary>
internal static class Releases
{
    /// <summary>Why a release does not count; null where it does.</summary>
    /// <param name="inquiry">The question.</param>
    /// <param name="release">The release.</param>
    /// <param name="target">The hold, or the objection.</param>
    /// <param name="party">Whose that is.</param>
    internal static string? Refusal(Inquiry inquiry, Recorded<ReleaseStatement> release, IRecorded target, string party)
    {
        ReleaseStatement said = release.Statement;
        if (release.Entry < target.Entry)
            return "it came before what it lets go";
        if (said.Party == party)
            return inquiry.Doubts.OfParty(release, said.Party, said.Document, target.Entry);
        PartyRole? role = inquiry.RoleOf(said.Party, release.Entry);
        return inquiry.IsSuperior(role, inquiry.RoleOf(party))
            ? inquiry.Doubts.OfParty(release, said.Party, said.Document)
            : $"{said.Party} did not place it, and {(role is { } one ? $"the policy lets no {one.ToName()} release it" : "is not on the record")}";
    }

    /// <summary>On whose word it counts.</summary>
    internal static string How(Inquiry inquiry, Recorded<ReleaseStatement> release) =>
        inquiry.Docket.IsOwn(release, release.Statement.Party) ? ", signed with their key" : $", recorded by {release.Signer.Name} from the paper sha256:{release.Statement.Document}";
}

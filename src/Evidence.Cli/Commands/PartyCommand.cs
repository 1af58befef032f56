using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class PartyCommand
{
    private const string UsualZone = "Etc/UTC";
    private const string ContactField = "contact";

    private static readonly Argument<string> Id = new("ID") { Description = "What the party is called in this ledger." };

    private static readonly Option<string?> Role = new Option<string?>("--role")
    {
        Description = $"What it is: {string.Join(", ", Enum.GetValues<PartyRole>().Select(PartyRoles.ToName))}.",
        HelpName = "ROLE",
    }.AcceptOnlyFromAmong([.. Enum.GetValues<PartyRole>().Select(PartyRoles.ToName)]);

    private static readonly Option<string?> Name = new("--name") { Description = "Its full name: an office or a firm, and no person's, for nothing leaves the ledger again.", HelpName = "NAME" };

    private static readonly Option<string?> Represents = new("--represents") { Description = "The party that it speaks for.", HelpName = "ID" };

    private static readonly Option<string?> Key = new("--key") { Description = "The id of the key that it signs with, as 'evidence identity show' tells its owner. The first that the record has for it stands.", HelpName = "KEY" };

    private static readonly Option<string?> Zone = new("--zone") { Description = $"The time zone that its days are counted in, by its IANA name ({UsualZone}).", HelpName = "ZONE" };

    private static readonly Option<string?> Calendar = new("--calendar") { Description = "Which of its days are working days: a YAML file (docs/policy.md). Without it: Monday to Friday.", HelpName = "FILE" };

    private static readonly Option<string?> Contact = new("--contact")
    {
        Description = "Whom to write to, and where. It is kept beside the ledger, which has only a commitment to it; 'evidence party forget' destroys it.",
        HelpName = "TEXT",
    };

    internal static Command Build() => new(
        "party",
        """
        The parties: who has a say in what is to be wiped, who decides, and who keeps copies. What is said of one later adds to what was said before.

        Examples:
          evidence party add customer --role customer --name "Example Ltd" --zone Pacific/Auckland --key sha256:3f8a...
          evidence party add counsel --role counsel --name "Example Partners" --represents customer --zone America/Los_Angeles --calendar us-federal.yaml
          evidence party list
        """)
    {
        Add(),
        List(),
        Show(),
        Forget(),
    };

    private static Command Add()
    {
        var command = new Command(
            "add",
            """
            Puts a party on the record, or says more of one: what is left out stays as it was.

            Examples:
              evidence party add court --role court --name "District Court" --zone America/New_York
              evidence party add court --contact "The clerk, clerk@court.example, 450 Golden Gate Avenue"
            """)
        {
            Id, Role, Name, Represents, Key, Zone, Calendar, Contact,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            string id = parsed.GetValue(Id)!;
            PartyStatement? known = writer.Docket.Parties.GetValueOrDefault(id)?.Latest;
            PartyRole role = parsed.GetValue(Role) is { } given ? PartyRoles.Parse(given) : known?.Role ?? throw Missing("--role");
            string name = parsed.GetValue(Name) ?? known?.Name ?? throw Missing("--name");
            string? calendar = parsed.GetValue(Calendar);
            if (calendar is not null)
                _ = WorkingCalendar.Load(calendar);
            var party = new PartyStatement(
                id, role, name, parsed.GetValue(Represents) ?? known?.Represents, parsed.GetValue(Key) ?? known?.Key, parsed.GetValue(Zone) ?? known?.Zone ?? UsualZone,
                DocketOptions.Keep(vault, calendar) ?? known?.Calendar,
                parsed.GetValue(Contact) is { } contact ? vault.Openings.Commit(new JsonObject { [ContactField] = contact }) : known?.Contact);
            long? entry = writer.Add(party);
            session.Answer(DocketOptions.One(entry), json => json["party"] = party.ToJson(), text =>
            {
                text.WriteLine($"  {party.Party} is {party.Name}, {party.Role.ToName()}{(party.Represents is { } represented ? $" for {represented}" : "")}; days are counted in {party.Zone}.");
                if (party.Key is null)
                    text.WriteLine("  Without a key, what it says is what others record for it, and counts only with a paper that shows it.");
            });
            return Task.FromResult(ExitCode.Done);

            EvidenceException Missing(string option) => new(ErrorCode.Usage, $"'{id}' is not on the record yet: say {option}, too.");
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Lists the parties on the record.");
        Session.Bind(command, (session, _, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
            Party[] parties = [.. docket.Parties.Values.OrderBy(party => party.Id, StringComparer.Ordinal)];
            session.Answer(
                () => new JsonObject
                {
                    ["size"] = DecimalText.Format(docket.Size),
                    ["parties"] = new JsonArray([.. parties.Select(party =>
                    {
                        JsonObject json = party.Latest.ToJson();
                        json["key"] = party.Key;
                        json["entries"] = DocketOptions.Numbers(party.Statements.Select(statement => statement.Entry));
                        return json;
                    })]),
                },
                text =>
                {
                    if (parties.Length == 0)
                        text.WriteLine("No party is on the record. 'evidence party add' puts one there.");
                    else
                    {
                        TextTable.Print(text, ["PARTY", "ROLE", "FOR", "ZONE", "KEY", "NAME"], parties.Select(party => (IReadOnlyList<string>)
                        [
                            party.Id, party.Latest.Role.ToName(), party.Latest.Represents ?? "", party.Latest.Zone, party.Key is { } key ? key[..15] : "none", party.Latest.Name,
                        ]));
                    }
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Show()
    {
        var command = new Command(
            "show",
            """
            Shows what is on the record of a party, and whom to write to where that is kept here.

            Example:
              evidence party show counsel
            """)
        {
            Id,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            PartyStatement party = Find(vault, parsed.GetValue(Id)!, cancellation).Latest;
            string? contact = party.Contact is { } commitment ? vault.Openings.TryOpen(commitment)?[ContactField]?.GetValue<string>() : null;
            session.Answer(
                () =>
                {
                    JsonObject json = party.ToJson();
                    json["contactText"] = contact;
                    return json;
                },
                text =>
                {
                    text.WriteLine($"{party.Party}  {party.Name}, {party.Role.ToName()}{(party.Represents is { } represented ? $" for {represented}" : "")}");
                    text.WriteLine($"  zone      {party.Zone}");
                    text.WriteLine($"  calendar  {(party.Calendar is { } calendar ? $"sha256:{calendar}" : "Monday to Friday")}");
                    text.WriteLine($"  key       {party.Key ?? "none"}");
                    text.WriteLine($"  contact   {(party.Contact is null ? "none on the record" : contact ?? $"not kept here; the record has the commitment sha256:{party.Contact}")}");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Forget()
    {
        var reason = new Option<string?>("--reason") { Description = "Why, without the data themselves: the record keeps it.", HelpName = "TEXT" };
        var command = new Command(
            "forget",
            """
            Destroys what is kept here of whom to write to at a party: every contact that was ever recorded for it. An entry says so first. The record itself stays whole, for it
            has commitments only. Copies elsewhere (backups, snapshots) are not reached.

            Example:
              evidence party forget counsel --reason "Request under Article 17, letter of 2014-06-02"
            """)
        {
            Id, reason,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            Party party = Find(vault, parsed.GetValue(Id)!, cancellation);
            HashSet<Sha256Digest> kept = [.. vault.Openings.List()];
            var entries = new List<long>();
            int destroyed = 0;
            foreach (Sha256Digest contact in party.Statements.Select(said => said.Statement.Contact).OfType<Sha256Digest>().Distinct().Where(kept.Contains))
            {
                if (vault.Openings.Destroy(contact, parsed.GetValue(reason)) is { } entry)
                    entries.Add(entry);
                destroyed++;
            }

            session.Answer(
                () => new JsonObject { ["destroyed"] = destroyed, ["entries"] = DocketOptions.Numbers(entries) },
                text => text.WriteLine(destroyed == 0
                    ? $"No contact of {party.Id} is kept here."
                    : $"Destroyed {(destroyed == 1 ? "the contact" : $"{destroyed} contacts")} of {party.Id}. {DocketOptions.Recorded(entries)}"));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Party Find(Vault vault, string id, CancellationToken cancellation) =>
        Docket.Read(vault.Ledger.Open(), cancellation: cancellation).Parties.GetValueOrDefault(id)
        ?? throw new EvidenceException(ErrorCode.Usage, $"'{id}' is not on the record. 'evidence party list' shows who is; 'evidence party add' adds one.");
}

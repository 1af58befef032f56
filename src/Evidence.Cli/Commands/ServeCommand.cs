using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Formats.Nbd;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class ServeCommand
{
    private static readonly Option<string?> SocketPath = new("--socket")
    {
        Description = "The Unix domain socket to listen on, which only you may connect to. Without it and --listen: one in XDG_RUNTIME_DIR, or in the folder for temporary files.",
        HelpName = "PATH",
    };

    private static readonly Option<string?> Listen = new("--listen")
    {
        Description = "A loopback address and port instead, which everybody on this machine may connect to; port 0 for any that is free.",
        HelpName = "ADDRESS:PORT",
    };

    internal static Command Build()
    {
        var command = new Command(
            "serve",
            """
            Serves an image as a read-only NBD export until it is interrupted, for every tool that reads those. Clients learn where there are zeros and holes, and can skip them. Every
            segment is checked against its id before a byte of it is sent. That it was opened is an entry of the ledger.

            Examples:
              evidence serve server-7 --socket /run/user/1000/server-7.nbd
              nbdinfo --map 'nbd+unix:///?socket=/run/user/1000/server-7.nbd'
              qemu-img convert 'nbd+unix:///?socket=/run/user/1000/server-7.nbd' -O qcow2 server-7.qcow2
              evidence serve server-7 --listen 127.0.0.1:10809           for clients that know only TCP, such as nbd-client
            """)
        {
            Options.Image, SocketPath, Listen, ReadingOptions.Unreadable, ReadingOptions.Cache, ReadingOptions.NoRecord,
        };
        Session.Bind(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Session session, ParseResult parsed, CancellationToken stop)
    {
        string? listen = parsed.GetValue(Listen);
        string? socket = parsed.GetValue(SocketPath);
        if (listen is not null && socket is not null)
            throw new EvidenceException(ErrorCode.Usage, "An image is served at one place: name a --socket or an address to --listen on.");
        IPEndPoint? address = null;
        if (listen is not null && (!IPEndPoint.TryParse(listen, out address) || !listen.Contains(':', StringComparison.Ordinal)))
            throw new EvidenceException(ErrorCode.Usage, $"'{listen}' is no address and port. Example: 127.0.0.1:10809");
        ImageReadOptions options = ReadingOptions.Of(parsed);
        using Vault vault = session.OpenVault();
        ImageRecord record = vault.FindImage(parsed.GetValue(Options.Image)!);
        VaultImage image = vault.OpenImage(record);
        using NbdServer server = address is not null
            ? NbdServer.Listen(image, record.Item, address, options, logger: session.Access.Logger)
            : NbdServer.Listen(image, record.Item, socket ?? OwnSocket(record), options, logger: session.Access.Logger);
        long? entry = ReadingOptions.Record(vault, parsed, record, new OpenedTo("nbd", server.Address, options.Absent));
        session.Answer(
            () => new JsonObject
            {
                ["image"] = $"sha256:{record.Image}",
                ["item"] = record.Item,
                ["size"] = DecimalText.Format(image.Size),
                ["address"] = server.Address,
                ["entry"] = entry is { } index ? DecimalText.Format(index) : null,
            },
            text =>
            {
                text.WriteLine($"Serves {record.Item}, {Units.Exact(image.Size)}, until it is interrupted, at");
                text.WriteLine($"  {server.Address}");
                if (entry is { } index)
                    text.WriteLine($"Ledger entry {Units.Count(index)} says so");
            });
        await server.RunAsync(stop);
        return ExitCode.Done;
    }

    private static string OwnSocket(ImageRecord record)
    {
        string? folder = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        return Path.Combine(string.IsNullOrEmpty(folder) ? Path.GetTempPath() : folder, $"evidence-{record.Image.ToString()[..16]}.nbd");
    }
}

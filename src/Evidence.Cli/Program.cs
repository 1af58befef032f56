using Evidence.Cli;

return await CommandTree.Build().Parse(args).InvokeAsync();
